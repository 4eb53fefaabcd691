import type { MetricSummary, RunRow } from "../../contract.ts";
import { element } from "../element.ts";
import { formatAgo, formatMoment, formatReal, NOTHING } from "../format.ts";
import { statusChip } from "../status.ts";
import { bestRuns, type Column, goalArrow } from "./columns.ts";
import type { GridColumn } from "./grid.ts";
import { SPARK_WIDTH, spark } from "./spark.ts";

/** What cells need to know besides their run. */
export interface Scene {
  now: number; // seconds since the epoch
  narrow: boolean;
  digit: number; // width of a digit in px
}

const PADDING = 22;
const ARROW = 12; // room for the sort arrow beside a title
const TAG = 18; // what a tag adds to its letters
const SAMPLE = 200; // runs looked at to find a width

/** How wide a column of each kind may be: from, to, and what stands beside the text. */
const WIDTHS: Record<Column["kind"], { from: number; to: number; beside: number }> = {
  select: { from: 30, to: 30, beside: 0 },
  name: { from: 110, to: 240, beside: 0 },
  status: { from: 104, to: 210, beside: 18 },
  tags: { from: 70, to: 200, beside: 0 },
  param: { from: 58, to: 170, beside: 0 },
  last: { from: 130, to: 210, beside: SPARK_WIDTH + 6 },
  best: { from: 74, to: 170, beside: 8 },
  duration: { from: 82, to: 110, beside: 0 },
  created: { from: 96, to: 110, beside: 0 },
};
const NARROW_NAME = 130;

/** The columns of the grid: as wide as all runs need, so that filtering moves nothing; best among the runs shown. */
export function gridColumns(
  columns: readonly Column[],
  all: readonly RunRow[],
  shown: readonly RunRow[],
  scene: Scene,
): GridColumn<RunRow>[] {
  return columns.map((column) => {
    const best = column.kind === "best" ? bestRuns(shown, column.name) : new Set<string>();
    return {
      id: column.id,
      width: widthOf(column, all, scene),
      role: column.kind === "name" ? "rowheader" : "gridcell",
      right: column.numeric,
      sorts: column.kind !== "select",
      head: (cell) => paintHead(cell, column),
      fill: (cell, row) => paint(cell, column, row, best, scene),
    };
  });
}

/** "ValueError" out of "ValueError: message": enough for a cell; the row's title has the rest. */
export function shortError(row: RunRow): string {
  // An interrupted run says no more by the name of what interrupted it.
  return row.error === null || row.status === "interrupted" ? "" : (row.error.split(":", 1)[0]?.trim() ?? "");
}

function widthOf(column: Column, rows: readonly RunRow[], scene: Scene): number {
  const { from, to, beside } = WIDTHS[column.kind];
  // Digits are wider than the average letter.
  const letter = column.numeric ? scene.digit : scene.digit * 0.95;
  let widest = 0;
  for (const row of rows.slice(0, SAMPLE)) widest = Math.max(widest, contentWidth(column, row, letter));
  const head = Math.max(column.title.length * letter + ARROW, column.caption.length * letter);
  const width = Math.max(head, widest + beside) + PADDING;
  const most = column.kind === "name" && scene.narrow ? NARROW_NAME : to;
  return Math.round(Math.min(most, Math.max(Math.min(from, most), width)));
}

function contentWidth(column: Column, row: RunRow, letter: number): number {
  if (column.kind === "created") return 0;
  if (column.kind === "tags") return row.tags.reduce((sum, tag) => sum + tag.length * letter + TAG, 0);
  if (column.kind !== "status") return column.text(row).length * letter;
  return (row.status.length + shortError(row).length) * letter + (shortError(row) ? 8 : 0);
}

function paintHead(cell: HTMLElement, column: Column): void {
  if (column.kind === "select") {
    cell.append(element("span", { class: "ct-unseen" }, "select"), box());
    return;
  }
  const word = column.kind === "best" || column.kind === "last" ? `${column.kind} value of ` : "";
  cell.title = `${word}${column.title}`;
  const caption = element("span", { class: "ct-caption" }, column.caption);
  cell.append(caption, element("span", { class: "ct-heading" }, column.title));
}

function paint(cell: HTMLElement, column: Column, row: RunRow, best: ReadonlySet<string>, scene: Scene): void {
  switch (column.kind) {
    case "select":
      cell.append(element("span", { class: "ct-unseen" }, `select ${row.name}`), box());
      return;
    case "status":
      cell.append(statusChip(row.status));
      if (shortError(row)) cell.append(element("span", { class: "ct-short" }, shortError(row)));
      return;
    case "tags":
      for (const tag of row.tags) cell.append(element("span", { class: "ct-tag" }, tag));
      cell.title = column.text(row);
      return;
    case "created":
      cell.append(element("span", { class: "ct-text" }, formatAgo(row.created, scene.now)));
      cell.title = formatMoment(row.created);
      return;
    case "last":
      paintLast(cell, row.metrics[column.name], column.text(row));
      return;
    default:
      paintText(cell, column, row, best.has(row.id));
  }
}

function paintText(cell: HTMLElement, column: Column, row: RunRow, isBest: boolean): void {
  const text = column.text(row);
  cell.classList.toggle("ct-nothing", text === NOTHING);
  const summary = column.kind === "best" ? row.metrics[column.name] : undefined;
  cell.append(element(isBest ? "strong" : "span", { class: "ct-text" }, text));
  if (summary && text !== NOTHING) cell.title = bestTitle(summary, isBest);
  else if (column.kind === "param" || column.kind === "name") cell.title = text === NOTHING ? "not set" : text;
}

function paintLast(cell: HTMLElement, summary: MetricSummary | undefined, text: string): void {
  cell.classList.toggle("ct-nothing", summary === undefined);
  if (summary && summary.spark.length > 1) cell.append(spark(summary.spark));
  cell.append(element("span", { class: summary?.last === "nan" ? "ct-error" : "" }, text));
  if (!summary) return;
  const range = `${formatReal(summary.min)} to ${formatReal(summary.max)} over ${summary.count} points`;
  cell.title = summary.nan_count > 0 ? `${range}, ${summary.nan_count} of them nan` : range;
}

function bestTitle(summary: MetricSummary, isBest: boolean): string {
  const at = summary.best_step === null ? "" : ` at step ${summary.best_step}`;
  return `${formatReal(summary.best)}${at}; ${goalArrow(summary.goal).word}${isBest ? "; the best of the runs shown" : ""}`;
}

/** The box is a picture of `aria-selected`, which the row carries; a real check box would be a second place to Tab to. */
function box(): HTMLElement {
  return element("span", { class: "ct-box", "aria-hidden": "true" });
}
