import type { Comparison, RunRow } from "../../contract.ts";
import { checkbox } from "../controls.ts";
import { pieceView } from "../detail/outputs.ts";
import { element } from "../element.ts";
import { formatAgo, formatMoment } from "../format.ts";
import { statusChip } from "../status.ts";
import { goalArrow } from "../table/columns.ts";
import { codeView } from "./code.ts";
import { type FactRow, type Section, sections } from "./rows.ts";

const ID_TAIL = 6; // letters of an id that tell runs of one name apart
const FIRST = 6; // of what changed, before one is asked for more

/** Two or more runs side by side: what differs, and on request what does not. */
export function comparisonView(comparison: Comparison, signal: AbortSignal): HTMLElement {
  const parts = sections(comparison);
  const differing = sum(parts, (part) => part.differing);
  const equal = sum(parts, (part) => part.equal);
  const content = element("div");
  const draw = (onlyDiffering: boolean): void => {
    const shown = [...codes(comparison, onlyDiffering), ...outputs(comparison, onlyDiffering)];
    content.replaceChildren(table(comparison, parts, onlyDiffering), ...shown);
  };
  const only = checkbox("only differing", draw, signal);
  only.box.checked = true;
  draw(true);
  const summary = element("span", { class: "ct-muted" }, `${differing} differ, ${equal} equal`);
  const bar = element("div", { class: "ct-bar" }, only.el, summary);
  return element("div", { class: "ct-comparison" }, changes(comparison.changed ?? []), bar, content);
}

/** What changed, the likeliest causes first; saved panels may lack it. */
function changes(told: readonly string[]): HTMLElement {
  const line = (sentence: string): HTMLElement => element("li", {}, sentence);
  const heading = element("div", { class: "ct-codehead" }, "what changed");
  const made = element("div", { class: "ct-changed" }, heading, element("ol", {}, ...told.slice(0, FIRST).map(line)));
  made.hidden = told.length === 0;
  if (told.length > FIRST) {
    const more = element("ol", { start: FIRST + 1 }, ...told.slice(FIRST).map(line));
    made.append(element("details", {}, element("summary", {}, `${told.length - FIRST} more`), more));
  }
  return made;
}

function table(comparison: Comparison, parts: Section[], onlyDiffering: boolean): HTMLElement {
  const made = element("table", { class: "ct-facts" });
  made.append(element("caption", { class: "ct-unseen" }, "runs as columns, facts as rows"), head(comparison.runs));
  for (const part of parts) made.append(body(part, comparison.runs.length, onlyDiffering));
  // Many runs are wider than a notebook; what scrolls must be reachable with the keyboard.
  return element("div", { class: "ct-scroll", tabindex: 0, role: "group", "aria-label": "comparison" }, made);
}

function head(runs: readonly RunRow[]): HTMLElement {
  const now = Date.now() / 1000;
  const names = runs.map((run) => run.name);
  const cells = runs.map((run) =>
    element(
      "th",
      { scope: "col", title: `${run.name}\n${run.id}\n${formatMoment(run.created)}` },
      element("span", { class: "ct-runname" }, run.name),
      names.indexOf(run.name) === names.lastIndexOf(run.name)
        ? null
        : element("span", { class: "ct-idtail" }, `…${run.id.slice(-ID_TAIL)}`),
      element(
        "span",
        { class: "ct-runline" },
        statusChip(run.status),
        element("span", { class: "ct-muted" }, formatAgo(run.created, now)),
      ),
    ),
  );
  return element("thead", {}, element("tr", {}, element("td", {}), ...cells));
}

function body(part: Section, runs: number, onlyDiffering: boolean): HTMLElement {
  const rows = onlyDiffering ? part.rows.filter((row) => row.differs) : part.rows;
  const note = part.differing === 0 ? `all ${part.equal} equal` : `${part.differing} differ, ${part.equal} equal`;
  const heading = element("th", { scope: "rowgroup" }, part.title, element("span", { class: "ct-muted" }, `  ${note}`));
  // The heading spans the sticky column only, so that it stays in view while the runs scroll.
  const line = element("tr", { class: "ct-section" }, heading, element("td", { colspan: runs }));
  return element("tbody", {}, line, ...rows.map((row) => factRow(row, part.title)));
}

function factRow(row: FactRow, section: string): HTMLElement {
  const { arrow, word } = goalArrow(row.goal);
  const name = element("th", { scope: "row", title: row.name }, row.words);
  if (arrow)
    name.append(element("span", { class: "ct-goal", title: word, role: "img", "aria-label": word }, ` ${arrow}`));
  const values = row.values.map((value) => {
    const text = value.best ? element("strong", { title: "the best of these runs" }, value.text) : value.text;
    const like = value.like && row.differs ? "ct-like" : "";
    return element(
      "td",
      { class: `${section === "metrics" ? "ct-mono-number" : ""} ${like}`.trim() || null, title: value.text },
      text,
      value.around ? element("div", { class: "ct-mean" }, value.around) : null,
      value.verdict
        ? element(
            "div",
            { class: "ct-verdict", "data-verdict": value.verdict.word },
            markOf(value.verdict.word),
            value.verdict.text,
          )
        : null,
    );
  });
  return element("tr", {}, name, ...values);
}

/** A sign beside the word, so that it is found at a glance and not by colour alone. */
function markOf(word: string): HTMLElement {
  const sign = { better: "▲ ", worse: "▽ ", "not distinguishable": "≈ " }[word] ?? "";
  return element("span", { "aria-hidden": "true" }, sign);
}

function codes(comparison: Comparison, onlyDiffering: boolean): HTMLElement[] {
  const [first] = comparison.runs;
  if (!first || comparison.code.length === 0) return [];
  const heading = element("div", { class: "ct-codehead" }, "code");
  if (comparison.code.length > 1 && comparison.code.every(({ lines }) => lines.length === 0)) {
    return [heading, element("p", { class: "ct-muted" }, "the same in all of them")];
  }
  const views = comparison.code.map((code) => {
    const run = comparison.runs.find((one) => one.id === code.run);
    return codeView(code, first, run, !onlyDiffering);
  });
  return [heading, ...views];
}

/** What the cells of the runs showed, side by side; where all showed the same, on request. */
function outputs({ outputs: shown = [], runs }: Comparison, onlyDiffering: boolean): HTMLElement[] {
  if (shown.every((pieces) => pieces.length === 0)) return []; // saved panels may lack them
  const heading = element("div", { class: "ct-codehead" }, "outputs");
  const [first] = shown.map((pieces) => JSON.stringify(pieces));
  if (onlyDiffering && shown.every((pieces) => JSON.stringify(pieces) === first)) {
    return [heading, element("p", { class: "ct-muted" }, "all showed the same")];
  }
  const columns = shown.map((pieces, at) => {
    const name = element("div", { class: "ct-codename" }, runs[at]?.name ?? "");
    const none = element("p", { class: "ct-muted" }, "showed nothing");
    return element("section", {}, name, ...(pieces.length > 0 ? pieces.map(pieceView) : [none]));
  });
  const label = "what the cells showed, a column per run";
  return [heading, element("div", { class: "ct-shown", tabindex: 0, role: "group", "aria-label": label }, ...columns)];
}

function sum(parts: Section[], of: (part: Section) => number): number {
  return parts.reduce((total, part) => total + of(part), 0);
}
