import type { RunRow } from "../../contract.ts";
import { count, formatDuration, formatMoment, formatReal, NOTHING } from "../format.ts";
import type { Column } from "./columns.ts";
import { meanInterval } from "./interval.ts";
import { ordered, type Sort, type SortKey } from "./order.ts";

/** Runs that are alike in what they are grouped by. */
export interface Group {
  id: string; // of its values; never a run's id
  title: string;
  members: RunRow[];
}

/** A row of the table: a run or a group of runs. */
export type Entry = RunRow | Group;

/** In the place of a column id: every parameter in which runs differ, but seeds. */
export const BUT_SEEDS = "*";

const SEED = /(^|[._])(seed|random_state)s?$|^(seed|rng)_/i;

export function isGroup(entry: Entry): entry is Group {
  return "members" in entry;
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
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const id = `group ${JSON.stringify(by.map((column) => column.raw(row)))}`;
    let group = groups.get(id);
    if (!group) {
      group = { id, title: titleOf(by, row), members: [] };
      groups.set(id, group);
    }
    group.members.push(row);
  }
  const key = (group: Group, id: string): SortKey => {
    const column = columns.get(id);
    return column && aggregateOf(column, group.members).key;
  };
  const order = ordered([...groups.values()], sort, key);
  return order.flatMap((group) => (folded.has(group.id) ? [group] : [group, ...group.members]));
}

function titleOf(by: readonly Column[], row: RunRow): string {
  if (by.length === 0) return "all alike";
  return by
    .map((column) => (column.kind === "param" ? `${column.title} = ${column.text(row)}` : column.text(row)))
    .join(" · ");
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
  if (known.length === 0) return { text: NOTHING, title: "", key: undefined };
  const { mean, half } = meanInterval(known);
  const show = column.kind === "duration" ? formatDuration : formatReal;
  const text = half === null || column.kind === "duration" ? show(mean) : `${show(mean)} ± ${formatHalf(half)}`;
  const left = members.length - known.length;
  const interval = half === null ? "" : `, 95% interval ${show(mean - half)} to ${show(mean + half)}`;
  const range = `${show(Math.min(...known))} to ${show(Math.max(...known))}`;
  const title = `mean of ${count(known.length, "run")}${interval}; ${range}${left ? `; ${left} without a number` : ""}`;
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
  const told = [...values.values()].slice(0, 12).join(", ");
  return { text: `${values.size} values`, title: values.size > 12 ? `${told} …` : told, key: values.size };
}
