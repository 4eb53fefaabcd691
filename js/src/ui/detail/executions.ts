import type { ExecutionMap, ExecutionShown } from "../../contract.ts";
import { checkbox } from "../controls.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";
import { arcs } from "./arcs.ts";
import { isKept, restoreButton } from "./restoring.ts";

const FEW = 40; // executions that are all shown

/**
 * What ran in the kernel for a run, oldest first: those that it was made from are linked by what they handed on, the
 * others are pale. A click opens the code as it ran.
 */
export function executionsView(map: ExecutionMap, signal: AbortSignal): HTMLElement {
  const all = map.executions;
  const needed = all.filter(({ role }) => role !== "other");
  const counts = new Map(all.map((each) => [each.id, numberOf(each)]));
  const list = element("ol", { class: "ct-map", "aria-label": "executions, oldest first" });
  const rows = new Map(all.map((each) => [each.id, row(each, (id) => counts.get(id) ?? "", signal)]));
  list.append(...rows.values());
  const box = element("div", { class: "ct-mapbox" }, list);
  const links = arcs(box, rows, all, signal);
  const only = checkbox("only those it depends on", (on) => narrow(on), signal);
  const narrow = (on: boolean): void => {
    for (const each of all) {
      const el = rows.get(each.id);
      if (el) el.hidden = on && each.role === "other";
    }
    links.draw();
  };
  only.box.checked = all.length > FEW;
  narrow(only.box.checked);
  only.el.hidden = needed.length === all.length;
  return element(
    "section",
    { class: "ct-executions" },
    element("h3", {}, "what ran before it, in order"),
    element("p", { class: "ct-muted" }, sentence(map, needed)),
    only.el,
    box,
    ...(needed.every(isKept) ? [restoreButton(`restore ${count(needed.length, "cell")}`, needed, signal)] : []),
  );
}

function sentence({ executions, more, lower_bound }: ExecutionMap, needed: readonly ExecutionShown[]): string {
  const parts = [
    `depends on ${needed.length - 1} of the ${count(executions.length + more - 1, "execution")} before it`,
  ];
  const stale = needed.filter((each) => each.stale).length;
  if (stale > 0) parts.push(`${stale} of these cells ${stale === 1 ? "has" : "have"} changed since`);
  if (lower_bound.length > 0) parts.push(`perhaps on more, because of ${lower_bound.join(", ")}`);
  if (more > 0) parts.push(`${count(more, "older execution")} not shown`);
  return parts.join("; ");
}

function numberOf({ count: number }: ExecutionShown): string {
  return number === null ? "" : `[${number}]`; // empty brackets would say that it never ran
}

function row(each: ExecutionShown, numbered: (id: string) => string, signal: AbortSignal): HTMLElement {
  const first = each.code.split("\n").find((line) => line.trim() && !line.startsWith("%%track")) ?? each.code;
  const head = element(
    "summary",
    {},
    element("span", { class: "ct-map-count" }, numberOf(each)),
    element("code", { class: "ct-map-first" }, first || "(no code kept)"),
    ...notes(each),
  );
  const code = element("pre", { class: "ct-text ct-map-code" });
  const got = each.got.map(
    ({ execution, names }) => `${names.join(", ")} from ${numbered(execution) || "a cell without number"}`,
  );
  const handed = element("p", { class: "ct-muted", hidden: got.length === 0 }, `got ${got.join("; ")}`);
  const back = isKept(each) ? [restoreButton("restore", [each], signal)] : [];
  const details = element("details", {}, head, handed, code, ...back);
  details.addEventListener("toggle", () => say(code, each.code || "the code of this execution was not kept"));
  return element("li", { "data-role": each.role, "data-stale": each.stale ? "true" : null }, details);
}

function notes(each: ExecutionShown): HTMLElement[] {
  const found: [string, string, string][] = [];
  if (each.role === "run") found.push(["ct-map-run", "this run", ""]);
  else if (each.name) found.push(["ct-map-run", each.name, "the run that this execution was"]);
  if (each.stale) found.push(["ct-map-stale", each.stale, "its cell in the notebook, against what ran"]);
  if (each.status === "error") found.push(["ct-map-bad", each.error || "error", "it ended with this"]);
  if (each.of > 1) found.push(["ct-muted", `${each.nth} of ${each.of}`, "which of the executions of its cell"]);
  if (each.what) found.push(["ct-muted ct-map-what", each.what, each.what]);
  return found.map(([kind, text, title]) => element("span", { class: kind, title: title || null }, text));
}
