import type { RunRow, Summed } from "../../contract.ts";
import { count, formatMoment, formatReal, NOTHING } from "../format.ts";
import type { Column } from "./columns.ts";
import { meanInterval } from "./interval.ts";
import { ordered, type Sort, type SortKey } from "./order.ts";
import type { Measured } from "./verdict.ts";

/** Runs that are alike in what they are grouped by. */
export interface Group {
  id: string; // of its values; never a run's id
  title: string;
  runs: string[];
  /** What the group says in a column. */
  says(column: Column): Aggregate;
  /** The numbers it has in a column; null where it has none. */
  measured(column: Column): Measured | null;
}

/** A run of which no more than its id is here. */
export interface Ghost {
  id: string;
  ghost: true;
}

/** A row of the table: a run or a group of runs. */
export type Entry = RunRow | Ghost | Group;

/** In the place of a column id: every parameter in which runs differ, but seeds. */
export const BUT_SEEDS = "*";

const MOST_VALUES = 12;
const SEED = /(^|[._])(seed|random_state)s?$|^(seed|rng)_/i;

export function isGroup(entry: Entry): entry is Group {
  return "says" in entry;
}

export function isGhost(entry: Entry): entry is Ghost {
  return "ghost" in entry;
}

/** The columns that a grouping names. */
export function groupingColumns(
  group: readonly string[],
  columns: readonly Column[],
  constant: ReadonlySet<string>,
): Column[] {
  return columns.filter(
    (column) =>
      group.includes(column.id) ||
      (group.includes(BUT_SEEDS) && column.kind === "param" && !constant.has(column.id) && !SEED.test(column.name)),
  );
}

/** The rows with a row above each group of them; of a folded group only that one. Groups sort by what they show. */
export function groupedRows(
  rows: readonly RunRow[],
  by: readonly Column[],
  folded: ReadonlySet<string>,
  sort: Sort,
  columns: ReadonlyMap<string, Column>,
): Entry[] {
  const found = new Map<string, RunRow[]>();
  for (const row of rows) {
    const id = groupId(by.map((column) => column.raw(row)));
    const members = found.get(id);
    if (members) members.push(row);
    else found.set(id, [row]);
  }
  const groups = [...found].map(([id, members]) => ({ ...groupOf(id, members, by), members }));
  const key = (group: Group, id: string): SortKey => {
    const column = columns.get(id);
    return column && group.says(column).key;
  };
  const order = ordered(groups, sort, key);
  return order.flatMap((group) => (folded.has(group.id) ? [group] : [group, ...group.members]));
}

/** The group that a run would belong to, the run itself in it. */
export function groupAround(run: RunRow, rows: readonly RunRow[], by: readonly Column[]): Group {
  const id = groupId(by.map((column) => column.raw(run)));
  const alike = rows.filter((row) => row.id === run.id || groupId(by.map((column) => column.raw(row))) === id);
  return groupOf(id, alike.includes(run) ? alike : [run, ...alike], by);
}

function groupOf(id: string, members: readonly RunRow[], by: readonly Column[]): Group {
  return {
    id,
    title: titleOf(by, (column) => column.text(members[0] as RunRow)),
    runs: members.map((row) => row.id),
    says: (column) => aggregateOf(column, members),
    measured: (column) => measuredOf(column, members),
  };
}

function measuredOf(column: Column, members: readonly RunRow[]): Measured | null {
  if (column.kind !== "last" && column.kind !== "best") return null;
  const known = members.map((row) => column.key(row)).filter((key) => typeof key === "number" && Number.isFinite(key));
  return known.length === 0 ? null : { known: known.length, ...meanInterval(known as number[]) };
}

export function groupId(values: readonly unknown[]): string {
  return `group ${JSON.stringify(values)}`;
}

export function titleOf(by: readonly Column[], text: (column: Column, at: number) => string): string {
  if (by.length === 0) return "all alike";
  const part = (column: Column, at: number): string =>
    column.kind === "param" ? `${column.title} = ${text(column, at)}` : text(column, at);
  return by.map(part).join(" · ");
}

/** What a group says in a column. */
export interface Aggregate {
  text: string;
  title: string;
  key: SortKey;
}

/** Measured values as mean and 95% interval, what was set as the one value or how many there are. */
export function aggregateOf(column: Column, members: readonly RunRow[]): Aggregate {
  switch (column.kind) {
    case "last":
    case "best":
    case "total":
    case "duration":
      return meanOf(column, members);
    case "status":
      return tally(members.map((row) => row.status));
    case "created": {
      const newest = Math.max(...members.map((row) => row.created));
      return { text: formatMoment(newest), title: "the newest of them", key: newest };
    }
    case "name":
      return { text: count(members.length, "run"), title: "", key: members.length };
    default:
      return alike(column, members);
  }
}

function meanOf(column: Column, members: readonly RunRow[]): Aggregate {
  const values = members.map((row) => column.key(row)).filter((key) => typeof key === "number");
  const known = values.filter(Number.isFinite);
  const spread = known.length > 0 ? meanInterval(known) : { mean: null, half: null };
  const ends = known.length > 0 ? { low: Math.min(...known), high: Math.max(...known) } : { low: null, high: null };
  return meanTold(column, { known: known.length, unknown: values.length - known.length, ...spread, ...ends });
}

/** Numbers as their mean and 95% interval. */
export function meanTold(column: Column, found: Omit<Summed, "values" | "kinds">): Aggregate {
  const { known, unknown, mean, half, low, high } = found;
  if (mean === null || low === null || high === null) return { text: NOTHING, title: "", key: undefined };
  const show = column.spell ?? formatReal;
  const text = half === null || column.spell ? show(mean) : `${show(mean)} ± ${formatHalf(half)}`;
  const interval = half === null ? "" : `, 95% interval ${show(mean - half)} to ${show(mean + half)}`;
  const range = `${show(low)} to ${show(high)}`;
  const title = `mean of ${count(known, "run")}${interval}; ${range}${unknown ? `; ${unknown} without a number` : ""}`;
  return { text, title, key: mean };
}

/** An uncertainty has two digits. */
export function formatHalf(half: number): string {
  if (half === 0) return "0";
  return half >= 1e-4 && half < 1e5 ? String(Number(half.toPrecision(2))) : half.toExponential(1).replace("e+", "e");
}

function tally(words: readonly string[]): Aggregate {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const text = [...counts].map(([word, n]) => `${n} ${word}`).join(", ");
  return { text, title: text, key: text };
}

function alike(column: Column, members: readonly RunRow[]): Aggregate {
  const first = members[0];
  const values = new Map(members.map((row) => [column.raw(row), column.text(row)]));
  if (first && values.size === 1) return { text: column.text(first), title: "", key: column.key(first) };
  return valuesTold([...values.values()].slice(0, MOST_VALUES), values.size);
}

/** Values that are not the same in all runs of a group. */
export function valuesTold(texts: readonly string[], kinds: number): Aggregate {
  const told = texts.join(", ");
  return { text: `${kinds} values`, title: kinds > texts.length ? `${told} …` : told, key: kinds };
}
