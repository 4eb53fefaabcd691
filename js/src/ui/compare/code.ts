import type { CodeDifference, RunRow } from "../../contract.ts";
import { element } from "../element.ts";
import { count } from "../format.ts";
import { type Block, diffBlocks, diffSize } from "./diff.ts";

const WORDS = { "-": "removed", "+": "added", " ": "" } as const;

/** The cell of one run against that of the first, as a unified diff. */
export function codeView(code: CodeDifference, first: RunRow, run: RunRow | undefined, all: boolean): HTMLElement {
  const own = run?.name ?? code.run;
  const name = code.cell ? `${own} · ${code.cell} it depends on` : own;
  const { removed, added } = diffSize(code.lines);
  const same = removed + added === 0;
  const heading = element(
    "div",
    { class: "ct-codetitle" },
    element("span", { class: "ct-codename", title: name }, name),
    element("span", { class: "ct-muted" }, same ? "has the same code as" : "against"),
    element("span", { class: "ct-muted", title: first.name }, first.name),
    same ? null : element("span", { class: "ct-muted" }, `· ${count(removed, "line")} removed, ${added} added`),
  );
  const block = element("div", { class: "ct-codediff" }, heading);
  if (code.lines.length === 0 || (same && !all)) return block;
  const body = element("div", {
    class: "ct-code",
    tabindex: 0,
    role: "group",
    "aria-label": `code of ${name} against ${first.name}`,
  });
  body.append(element("div", { class: "ct-lines" }, ...diffBlocks(code.lines, all).map(blockView)));
  block.append(body);
  return block;
}

function blockView(block: Block): HTMLElement {
  if (block.kind === "fold") return element("div", { class: "ct-fold" }, `⋯ ${count(block.lines, "equal line")}`);
  const tag = block.mark === "-" ? "del" : block.mark === "+" ? "ins" : "span";
  const text = element(tag, {});
  for (const piece of block.pieces) {
    text.append(piece.changed ? element("b", {}, piece.text) : piece.text);
  }
  return element(
    "div",
    { class: "ct-line", "data-mark": block.mark },
    element("span", { class: "ct-mark", "aria-hidden": "true" }, block.mark),
    WORDS[block.mark] ? element("span", { class: "ct-unseen" }, `${WORDS[block.mark]}: `) : null,
    text,
  );
}
