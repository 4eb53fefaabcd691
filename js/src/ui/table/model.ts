import type { RowsPage, RunRow, TableOptions } from "../../contract.ts";
import { type Column, columnsOf, constantOf } from "./columns.ts";
import { WordFilter } from "./filter.ts";
import { type Entry, groupedRows, groupingColumns, isGroup } from "./grouping.ts";
import { arranged, UNTOUCHED } from "./options.ts";
import { ordered, type SortKey } from "./order.ts";

/** What is to be seen: rows in order under the columns in order. */
export interface Seen {
  entries: Entry[]; // as the grid shows them; the baseline first where there is one
  rows: RunRow[]; // the runs among them, and those in closed groups
  columns: Column[];
  pinned: number;
  baseline: RunRow | null;
  selected: ReadonlySet<string>; // runs, and groups of which all runs are selected
  grouped: boolean;
}

const ROOM_FOR_PINNED = { narrow: 0, wide: 4 };

/** The runs of a table and how they are looked at. It draws nothing. */
export class TableModel {
  rows: readonly RunRow[] = [];
  columns: readonly Column[] = [];
  constant: ReadonlySet<string> = new Set(); // ids of columns with one value
  found: RowsPage | null = null; // what the kernel found for an expression
  words = ""; // plain words that filter here
  readonly #filter = new WordFilter();
  #byId = new Map<string, Column>();

  constructor(public options: TableOptions) {
    this.options = { ...UNTOUCHED, ...options };
  }

  read(rows: readonly RunRow[]): void {
    this.rows = rows;
    this.columns = columnsOf(rows);
    this.constant = constantOf(this.columns, rows);
    this.#byId = new Map(this.columns.map((column) => [column.id, column]));
  }

  column(id: string): Column | undefined {
    return this.#byId.get(id);
  }

  /** The selected runs, those found by an expression among them. */
  get selected(): RunRow[] {
    const held = new Map([...this.rows, ...(this.found?.rows ?? [])].map((row) => [row.id, row]));
    return this.options.selected.flatMap((run) => held.get(run) ?? []);
  }

  seen(narrow: boolean): Seen {
    const { options } = this;
    const key = (row: RunRow, id: string): SortKey => this.#byId.get(id)?.key(row);
    const matching = this.#filter.rows(this.found?.rows ?? this.rows, this.words);
    const rows = ordered(matching, options.sort, key);
    const baseline = this.rows.find((row) => row.id === options.baseline) ?? null;
    const others = baseline ? rows.filter((row) => row.id !== baseline.id) : rows;
    const by = groupingColumns(options.group, this.columns, this.constant);
    const grouped = options.group.length > 0;
    const below = grouped ? groupedRows(others, by, new Set(options.folded), options.sort, this.#byId) : others;
    const entries = baseline && rows.length > 0 ? [baseline, ...below] : below;
    const room = narrow ? ROOM_FOR_PINNED.narrow : ROOM_FOR_PINNED.wide;
    return {
      entries,
      rows,
      ...arranged(this.columns, options, this.constant, room),
      baseline,
      selected: selectedAmong(entries, options.selected),
      grouped,
    };
  }
}

/** The ids of the runs that these rows stand for. */
export function runsOf(entries: readonly Entry[], keys: readonly string[]): string[] {
  const groups = new Map(entries.filter(isGroup).map((group) => [group.id, group]));
  return keys.flatMap((key) => groups.get(key)?.members.map((row) => row.id) ?? [key]);
}

function selectedAmong(entries: readonly Entry[], runs: readonly string[]): Set<string> {
  const selected = new Set(runs);
  for (const entry of entries) {
    if (isGroup(entry) && entry.members.every((row) => selected.has(row.id))) selected.add(entry.id);
  }
  return selected;
}
