import type { RowsPage, RunRow, TableOptions } from "../../contract.ts";
import { bestRuns, type Column, columnsOf, constantOf, headsOf, leadingFirst } from "./columns.ts";
import type { Asking, Far } from "./far.ts";
import { WordFilter } from "./filter.ts";
import { type Entry, type Group, groupAround, groupedRows, groupingColumns, isGhost, isGroup } from "./grouping.ts";
import { arranged, UNTOUCHED } from "./options.ts";
import { ordered, type SortKey } from "./order.ts";

/** A run as far as people change it. */
export type Chosen = Pick<RunRow, "id" | "name" | "tags" | "note" | "starred" | "archived" | "deleted">;

/** What is to be seen: rows in order under the columns in order. */
export interface Seen {
  entries: Entry[]; // as the grid shows them; the baseline first where there is one
  runs: string[]; // the runs among them, and those in closed groups
  columns: Column[];
  pinned: number;
  baseline: RunRow | null;
  base: Group | null; // the runs that are alike to the baseline, itself among them
  selected: ReadonlySet<string>; // runs, and groups of which all runs are selected
  grouped: boolean;
  /** The runs with the best value of a column. */
  best(column: Column): ReadonlySet<string>;
}

const ROOM_FOR_PINNED = { narrow: 0, wide: 4 };
const NONE: ReadonlySet<string> = new Set();

/** The runs of a table and how they are looked at. It draws nothing. */
export class TableModel {
  columns: readonly Column[] = [];
  constant: ReadonlySet<string> = new Set(); // ids of columns with one value
  found: RowsPage | null = null; // what the kernel found for an expression
  where = ""; // that expression
  words = ""; // plain words that filter
  far: Far | null = null; // where most of the runs are not here
  #rows: readonly RunRow[] = [];
  readonly #filter = new WordFilter();
  #byId = new Map<string, Column>();
  #listed: unknown = null;
  #held: string[] | null = null; // the order in which rows stand while they change

  constructor(public options: TableOptions) {
    this.options = { ...UNTOUCHED, ...options };
  }

  /** The rows that are here. */
  get rows(): readonly RunRow[] {
    return this.far?.rows ?? this.#rows;
  }

  read(rows: readonly RunRow[]): void {
    this.#rows = rows;
    this.far?.renew(rows);
    if (this.far?.listing) return;
    this.#name(columnsOf(headsOf(rows)), null);
  }

  /** Rows that say something else now; they stay where they are until somebody orders anew. */
  amend(rows: readonly RunRow[]): void {
    const news = new Map(rows.map((row) => [row.id, row]));
    this.far?.amend(rows);
    this.#held ??= this.seen(false).runs;
    this.#rows = this.#rows.map((row) => news.get(row.id) ?? row);
    if (this.found) this.found = { ...this.found, rows: this.found.rows.map((row) => news.get(row.id) ?? row) };
    if (!this.far?.listing) this.#name(columnsOf(headsOf(this.#rows)), null);
  }

  /** Order by what the rows say now. */
  release(): void {
    this.#held = null;
  }

  column(id: string): Column | undefined {
    return this.#byId.get(id);
  }

  /** The rows of these runs, as far as they are here; those found by an expression are. */
  here(runs: readonly string[]): RunRow[] {
    const held = new Map([...this.rows, ...(this.found?.rows ?? [])].map((row) => [row.id, row]));
    return runs.flatMap((run) => held.get(run) ?? []);
  }

  /** These runs as far as they can be changed; of one whose row is with the kernel no more than its id is known. */
  chosen(runs: readonly string[]): Chosen[] {
    const held = new Map(this.here(runs).map((row) => [row.id, row]));
    return runs.map((id) => held.get(id) ?? unread(id));
  }

  /** What the kernel is to list, where most of the runs are with it. */
  get asking(): Asking {
    const group = groupingColumns(this.options.group, this.columns, this.constant).map((column) => column.id);
    return { where: this.where, words: this.words, sort: [...this.options.sort], group };
  }

  seen(narrow: boolean): Seen {
    const { options, far } = this;
    if (far?.listing && far.listing.heads !== this.#listed) {
      this.#listed = far.listing.heads;
      const { heads } = far.listing;
      this.#name(columnsOf(heads), new Set(heads.filter((head) => head.same).map((head) => head.id)));
    }
    const found = far?.listing ? this.#seenFar(far) : this.#seenHere();
    const room = narrow ? ROOM_FOR_PINNED.narrow : ROOM_FOR_PINNED.wide;
    return {
      ...found,
      ...arranged(this.columns, options, this.constant, room),
      selected: selectedAmong(found.entries, options.selected),
      grouped: options.group.length > 0,
    };
  }

  #name(columns: readonly Column[], constant: ReadonlySet<string> | null): void {
    this.constant = constant ?? constantOf(columns, this.#rows);
    this.columns = leadingFirst(columns, this.constant);
    this.#byId = new Map(columns.map((column) => [column.id, column]));
  }

  #seenHere(): Pick<Seen, "entries" | "runs" | "baseline" | "base" | "best"> {
    const { options } = this;
    const key = (row: RunRow, id: string): SortKey => this.#byId.get(id)?.key(row);
    const matching = this.#filter.rows(this.found?.rows ?? this.#rows, this.words);
    const rows = this.#held ? inOrder(matching, this.#held) : ordered(matching, options.sort, key);
    const baseline = this.#rows.find((row) => row.id === options.baseline) ?? null;
    const others = baseline ? rows.filter((row) => row.id !== baseline.id) : rows;
    const by = groupingColumns(options.group, this.columns, this.constant);
    const below =
      options.group.length > 0 ? groupedRows(others, by, new Set(options.folded), options.sort, this.#byId) : others;
    return {
      entries: baseline && rows.length > 0 ? [baseline, ...below] : below,
      runs: rows.map((row) => row.id),
      baseline,
      base: baseline && options.group.length > 0 ? groupAround(baseline, rows, by) : null,
      best: (column) => bestRuns(rows, column.name),
    };
  }

  #seenFar(far: Far): Pick<Seen, "entries" | "runs" | "baseline" | "base" | "best"> {
    const { options } = this;
    const runs = far.listing?.runs ?? [];
    const first = options.baseline === null ? null : far.row(options.baseline);
    const folded = new Set(options.folded);
    const rows = (ids: readonly string[]): Entry[] =>
      (first ? ids.filter((id) => id !== first.id) : ids).map((id) => far.row(id));
    const groups = far.listing?.groups ? far.groups(groupingColumns(options.group, this.columns, this.constant)) : null;
    const below = groups
      ? groups.flatMap((group) => (folded.has(group.id) ? [group] : [group, ...rows(group.runs)]))
      : rows(runs);
    return {
      entries: first && runs.length > 0 ? [first, ...below] : below,
      runs,
      baseline: first && !isGhost(first) ? (first as RunRow) : null,
      base: groups?.find((group) => group.runs.includes(options.baseline ?? "")) ?? null,
      best: (column) => {
        const best = far.best[column.id];
        return best ? new Set(best) : NONE;
      },
    };
  }
}

/** The rows in an order they had before; those that had none yet stand first, as the newest do. */
function inOrder(rows: readonly RunRow[], held: readonly string[]): RunRow[] {
  const places = new Map(held.map((run, at) => [run, at]));
  return [...rows].sort((a, b) => (places.get(a.id) ?? -1) - (places.get(b.id) ?? -1));
}

function unread(id: string): Chosen {
  return { id, name: id, tags: [], note: "", starred: false, archived: false, deleted: false };
}

/** The ids of the runs that these rows stand for. */
export function runsOf(entries: readonly Entry[], keys: readonly string[]): string[] {
  const groups = new Map(entries.filter(isGroup).map((group) => [group.id, group]));
  return keys.flatMap((key) => groups.get(key)?.runs ?? [key]);
}

function selectedAmong(entries: readonly Entry[], runs: readonly string[]): Set<string> {
  const selected = new Set(runs);
  for (const entry of entries) {
    if (isGroup(entry) && entry.runs.every((run) => selected.has(run))) selected.add(entry.id);
  }
  return selected;
}
