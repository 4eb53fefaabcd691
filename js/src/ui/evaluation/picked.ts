import type { Content, EvaluatedRun, Pick, Scalar } from "../../contract.ts";
import type { Asked } from "../../source.ts";
import { element } from "../element.ts";
import { count, formatScalar } from "../format.ts";

export type Picking = Asked<Pick>;

/** The rows of a choice among the few that a file keeps. */
export function keptRows(run: EvaluatedRun, asked: Picking): Scalar[][] {
  const at = (name: string): number => run.heads.indexOf(name);
  const [truth, score] = [at("truth"), Math.max(at(`score ${asked.truth}`), at("score"))];
  if (asked.of === "confusion") {
    const output = at("output");
    return run.worst.filter((row) => said(row[truth]) === asked.truth && said(row[output]) === asked.output);
  }
  if (asked.of === "threshold")
    return run.worst.filter((row) => (said(row[truth]) === asked.truth) !== Number(row[score]) >= asked.low);
  if (asked.of === "scatter") {
    const inside = (value: number, low: number, high: number): boolean => value >= low && value <= high;
    return run.worst.filter(
      (row) =>
        inside(Number(row[truth]), asked.low, asked.high) &&
        inside(Number(row[at("output")]), asked.output_low, asked.output_high),
    );
  }
  const place = asked.of === "residuals" ? at("error") : score;
  return run.worst.filter((row) => Number(row[place]) >= asked.low && Number(row[place]) <= asked.high);
}

/** Rows as a table, under what they are. */
export function rowsView(
  title: string,
  heads: readonly string[],
  rows: readonly Scalar[][],
  more: string,
): HTMLElement {
  const found = element("div", { class: "picked" }, element("p", { class: "title" }, title));
  if (rows.length > 0) {
    const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
    const body = rows.map((row) => element("tr", {}, ...row.map((value) => element("td", {}, told(value)))));
    const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
    const label = `${title}, ${count(rows.length, "row")}`;
    found.append(element("div", { class: "rows", tabindex: 0, role: "group", "aria-label": label }, table));
  }
  if (more) found.append(element("p", { class: "ct-muted" }, more));
  return found;
}

/** What is beside the rows that came. */
export function moreOf(content: Content): string {
  const more = content.more > 0 ? `and ${count(content.more, "more row")}: run.evaluation(…).table has all` : "";
  return [content.said, content.rows.length === 0 ? "no row is here" : more].filter(Boolean).join(" · ");
}

function told(value: Scalar): string {
  return value === null ? "–" : formatScalar(value);
}

/** As Python's str() has it, which the labels are. */
function said(value: Scalar | undefined): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return value === undefined || value === null ? "" : String(value);
}
