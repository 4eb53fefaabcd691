import type { RunRow } from "../../contract.ts";
import { element } from "../element.ts";
import type { Column } from "./columns.ts";
import { SPARK_WIDTH } from "./spark.ts";

const PADDING = 22;
const ARROW = 12; // room for the sort arrow beside a title
const TAG = 18; // what a tag adds to its letters
const DELTA = 74; // room for the difference from a baseline
const VERDICT = 196; // room for "≈ not distinguishable (n=10)" in the weight of a group
const SAMPLE = 200; // runs looked at to find a width
const NARROW_NAME = 130;

/** How wide a column of each kind may be: from, to, and what stands beside the text. */
const WIDTHS: Record<Column["kind"], { from: number; to: number; beside: number }> = {
  select: { from: 30, to: 30, beside: 0 },
  name: { from: 110, to: 240, beside: 0 },
  status: { from: 104, to: 210, beside: 18 },
  tags: { from: 70, to: 200, beside: 0 },
  note: { from: 90, to: 260, beside: 0 },
  fact: { from: 70, to: 300, beside: 0 },
  param: { from: 58, to: 170, beside: 0 },
  last: { from: 130, to: 210, beside: SPARK_WIDTH + 6 },
  best: { from: 74, to: 170, beside: 8 },
  total: { from: 82, to: 150, beside: 0 },
  duration: { from: 82, to: 110, beside: 0 },
  created: { from: 96, to: 110, beside: 0 },
};

/** What a width depends on besides the runs. */
export interface Room {
  narrow: boolean;
  digit: number; // width of a digit in px
  baseline: unknown | null;
  grouped: boolean;
  judges: boolean; // whether repeats are told from those of the baseline
  anyStale: boolean;
}

/** How wide columns are until somebody sets them; found once for the runs there are. */
export class Widths {
  #rows: readonly RunRow[] = [];
  #known = new Map<string, number>();
  #room = "";

  read(rows: readonly RunRow[]): void {
    this.#rows = rows.slice(0, SAMPLE);
    this.#known.clear();
  }

  of(column: Column, room: Room): number {
    const seen = [room.narrow, room.digit, room.baseline !== null, room.grouped, room.judges, room.anyStale].join(" ");
    if (seen !== this.#room) this.#known.clear();
    this.#room = seen;
    let width = this.#known.get(column.id);
    if (width === undefined) {
      width = widthOf(column, this.#rows, room);
      this.#known.set(column.id, width);
    }
    return width;
  }
}

/** "ValueError" out of "ValueError: message": enough for a cell; the row's title has the rest. */
export function shortError(row: RunRow): string {
  // An interrupted run says no more by the name of what interrupted it.
  return row.error === null || row.status === "interrupted" ? "" : (row.error.split(":", 1)[0]?.trim() ?? "");
}

function widthOf(column: Column, rows: readonly RunRow[], room: Room): number {
  const { from, to, beside } = WIDTHS[column.kind];
  // Digits are wider than the average letter.
  const letter = column.numeric ? room.digit : room.digit * 0.95;
  let widest = 0;
  for (const row of rows) widest = Math.max(widest, contentWidth(column, row, letter));
  const head = Math.max((column.short ?? column.title).length * letter + ARROW, column.caption.length * letter);
  const more = moreRoom(column, room, letter);
  const width = Math.max(head, widest + beside + more) + PADDING;
  const most = column.kind === "name" && room.narrow ? NARROW_NAME : to + more;
  return Math.round(Math.min(most, Math.max(Math.min(from, most), width)));
}

/** What a baseline and groups add: the difference, its chip, "± 0.012". */
function moreRoom(column: Column, room: Room, letter: number): number {
  const measured = column.kind === "last" || column.kind === "best";
  const differs = room.baseline !== null && (measured || column.kind === "duration") ? DELTA : 0;
  const chip = room.baseline !== null && column.kind === "name" ? 84 : 0;
  const interval = room.grouped && measured ? 9 * letter - (column.kind === "last" ? SPARK_WIDTH : 0) : 0;
  const indent = room.grouped && column.kind === "name" ? 120 : 0;
  const stale = room.anyStale && column.kind === "status" ? 5 * letter + TAG : 0;
  const verdict = room.judges && interval ? VERDICT : 0;
  return Math.max(differs, interval + verdict, 0) + chip + indent + stale;
}

function contentWidth(column: Column, row: RunRow, letter: number): number {
  if (column.kind === "created") return 0;
  if (column.kind === "tags") return row.tags.reduce((sum, tag) => sum + tag.length * letter + TAG, 0);
  if (column.kind !== "status") return column.text(row).length * letter;
  const words = [row.archived ? "archived" : "", row.deleted ? "deleted" : ""].filter(Boolean);
  const chips = words.reduce((sum, word) => sum + word.length * letter + TAG, 0);
  return (row.status.length + shortError(row).length) * letter + (shortError(row) ? 8 : 0) + chips;
}

export const DIGIT = 7.6; // px; where nothing is laid out yet

/** The width of a digit in the font there is; 0 where nothing is laid out yet. */
export function digitWidth(near: HTMLElement): number {
  const probe = element("span", { class: "ct-probe" }, "0000000000");
  near.append(probe);
  const width = probe.getBoundingClientRect().width / 10;
  probe.remove();
  return width;
}
