import type { Scalar, Section } from "../../contract.ts";
import { element } from "../element.ts";
import { count, formatReal, formatScalar } from "../format.ts";

/** The sections of one tab, one below the other. */
export function sectionViews(sections: readonly Section[]): HTMLElement {
  return element("div", { class: "ct-sections" }, ...sections.map(sectionView));
}

function sectionView(section: Section): HTMLElement {
  const numeric = section.heads.map((_, column) => isNumeric(section.rows, column));
  const align = (column: number): string | null => (numeric[column] ? "ct-number" : null);
  // Of two columns the heads say nothing that the title has not said.
  const bare = section.heads.length < 3;
  const heads = section.heads.map((head, column) => element("th", { scope: "col", class: align(column) }, head));
  // Measured numbers line up in four digits; what somebody typed is shown as it was typed.
  const measured = section.title === "metrics";
  const rows = section.rows.map((row) =>
    element("tr", {}, ...row.map((value, column) => cell(text(value, measured), column, align(column)))),
  );
  const table = element(
    "table",
    { class: bare ? "ct-list" : "ct-list ct-wide" },
    element("caption", { class: "ct-unseen" }, section.title),
    element("thead", { class: bare ? "ct-unseen" : null }, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows),
  );
  const more = section.more > 0 ? element("p", { class: "ct-muted" }, `and ${count(section.more, "more row")}`) : null;
  return element("section", {}, element("h3", {}, section.title), table, more);
}

function cell(text: string, column: number, align: string | null): HTMLElement {
  if (column === 0) return element("th", { scope: "row", class: align, title: text }, text);
  return element("td", { class: align, title: text }, text);
}

function text(value: Scalar, measured: boolean): string {
  if (value === null) return "";
  return measured && typeof value === "number" ? formatReal(value) : formatScalar(value);
}

/** Whether a column holds numbers, the words for those that JSON lacks among them. */
function isNumeric(rows: readonly Scalar[][], column: number): boolean {
  const values = rows.map((row) => row[column] ?? null).filter((value) => value !== null);
  return column > 0 && values.length > 0 && values.every((value) => typeof value === "number" || isWord(value));
}

function isWord(value: Scalar): boolean {
  return value === "nan" || value === "inf" || value === "-inf";
}
