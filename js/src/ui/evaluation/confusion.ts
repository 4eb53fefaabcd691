import type { EvaluatedRun } from "../../contract.ts";
import { element } from "../element.ts";
import { count } from "../format.ts";

const MOST = 30; // labels that are drawn

/** How often each label was predicted as each other; every cell is a button that shows its rows. */
export function confusionView(
  run: EvaluatedRun,
  labels: readonly string[],
  shares: boolean,
  pick: (truth: string, output: string) => void,
): HTMLElement {
  const shown = labels.slice(0, Math.min(MOST, run.confusion.length)); // a file may hold a part of it
  const cells: HTMLButtonElement[][] = shown.map((truth, down) => {
    const row = run.confusion[down] ?? [];
    const all = row.reduce((sum, n) => sum + n, 0);
    return shown.map((output, across) => {
      const n = row[across] ?? 0;
      const share = all === 0 ? 0 : n / all;
      const text = shares ? (all === 0 ? "–" : `${Math.round(100 * share)}%`) : String(n);
      const said = `truth ${truth}, predicted ${output}: ${count(n, "row")}`;
      const cell = element("button", { type: "button", "aria-label": said, title: said, tabindex: -1 }, text);
      cell.dataset.kind = n === 0 ? "none" : down === across ? "right" : "wrong";
      cell.style.setProperty("--share", String(Math.round(70 * Math.sqrt(share))));
      cell.addEventListener("click", () => pick(truth, output));
      return cell;
    });
  });
  walk(cells);
  const head = element("tr", {}, element("td", {}), ...shown.map((label) => element("th", { scope: "col" }, label)));
  const body = cells.map((row, at) =>
    element("tr", {}, element("th", { scope: "row" }, shown[at] ?? ""), ...row.map((cell) => element("td", {}, cell))),
  );
  const table = element("table", { class: "confusion" }, element("thead", {}, head), element("tbody", {}, ...body));
  table.setAttribute("aria-label", `confusion matrix of ${run.name}: truth down, predicted across`);
  const more = labels.length > shown.length ? `the first ${shown.length} of ${labels.length} labels · ` : "";
  const aside = element("span", { class: "ct-muted" }, `${more}truth down, predicted across`);
  const caption = element("figcaption", {}, element("b", {}, run.name), aside);
  const inside = element("div", { class: "across" }, table);
  return element("figure", { class: "matrix" }, caption, inside);
}

/** Tab comes to one cell, arrows go to the others. */
function walk(cells: readonly (readonly HTMLButtonElement[])[]): void {
  const first = cells[0]?.[0];
  if (first) first.tabIndex = 0;
  cells.forEach((row, down) => {
    row.forEach((cell, across) => {
      cell.addEventListener("keydown", (event) => {
        const [dy, dx] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [
          0, 0,
        ];
        const next = cells[down + (dy ?? 0)]?.[across + (dx ?? 0)];
        if (!next || next === cell) return;
        event.preventDefault();
        cell.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      });
    });
  });
}
