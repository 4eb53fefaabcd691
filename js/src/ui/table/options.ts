import type { TableOptions } from "../../contract.ts";
import type { Column } from "./columns.ts";
import { isAside, startsWithDiffering } from "./columns.ts";

/** A table nobody touched yet. */
export const UNTOUCHED: TableOptions = {
  sort: [],
  filter: "",
  selected: [],
  columns: null,
  differing: null,
  pinned: [],
  widths: {},
  group: [],
  folded: [],
  baseline: null,
};

/** The box and the name stay where they are: the first two, at the left. */
export const FIXED: readonly string[] = ["select", "name"];

export const NARROWEST = 48; // px
const WIDEST = 640; // px

/** Whether only columns in which runs differ are shown. */
export function onlyDiffering(options: TableOptions, columns: readonly Column[]): boolean {
  return options.differing ?? (options.columns === null && startsWithDiffering(columns));
}

/** The ids of the columns that are shown where nobody chose any. */
const atFirst = (columns: readonly Column[]): string[] =>
  columns.filter((column) => !isAside(column)).map((column) => column.id);

/** The columns to show, pinned ones first, and how many stay at the left. */
export function arranged(
  columns: readonly Column[],
  options: TableOptions,
  constant: ReadonlySet<string>,
  room: number, // columns that may stay at the left besides the fixed ones
): { columns: Column[]; pinned: number } {
  const byId = new Map(columns.map((column) => [column.id, column]));
  const hides = onlyDiffering(options, columns);
  const grouped = new Set(options.group);
  const ids = (options.columns ?? atFirst(columns)).filter(
    (id) => !FIXED.includes(id) && byId.has(id) && !(hides && constant.has(id) && !grouped.has(id)),
  );
  const pinned = options.pinned.filter((id) => ids.includes(id)).slice(0, room);
  const order = [...FIXED, ...pinned, ...ids.filter((id) => !pinned.includes(id))];
  return {
    columns: order.flatMap((id) => byId.get(id) ?? []),
    pinned: FIXED.length + pinned.length,
  };
}

/** The ids in the order they stand in, whether a choice was made or not. */
export function chosenIds(options: TableOptions, columns: readonly Column[]): string[] {
  return (options.columns ?? atFirst(columns)).filter((id) => !FIXED.includes(id));
}

/** A column put before another, or last where `before` is null; among the pinned ones where both are. */
export function moveBefore(
  options: TableOptions,
  columns: readonly Column[],
  id: string,
  before: string | null,
): Partial<TableOptions> {
  const put = (ids: readonly string[]): string[] => {
    const others = ids.filter((one) => one !== id);
    const at = before === null ? -1 : others.indexOf(before);
    return at < 0 ? [...others, id] : [...others.slice(0, at), id, ...others.slice(at)];
  };
  if (FIXED.includes(id)) return {};
  if (options.pinned.includes(id)) {
    return before !== null && options.pinned.includes(before) ? { pinned: put(options.pinned) } : {};
  }
  const target = before !== null && (FIXED.includes(before) || options.pinned.includes(before)) ? undefined : before;
  return target === undefined ? {} : { columns: put(chosenIds(options, columns)) };
}

/** A column one place to the left or right among those shown. */
export function moveBy(
  options: TableOptions,
  columns: readonly Column[],
  shown: readonly string[],
  id: string,
  by: -1 | 1,
): Partial<TableOptions> {
  const at = shown.indexOf(id);
  const before = by < 0 ? shown[at - 1] : (shown[at + 2] ?? null);
  return at < 0 || before === undefined ? {} : moveBefore(options, columns, id, before);
}

/** A column shown or not. */
export function showColumn(
  options: TableOptions,
  columns: readonly Column[],
  id: string,
  on: boolean,
): Partial<TableOptions> {
  const ids = chosenIds(options, columns).filter((one) => one !== id);
  if (!on) return { columns: ids, pinned: options.pinned.filter((one) => one !== id) };
  const natural = columns.map((column) => column.id);
  const after = natural.slice(natural.indexOf(id) + 1).find((one) => ids.includes(one));
  const at = after === undefined ? ids.length : ids.indexOf(after);
  return { columns: [...ids.slice(0, at), id, ...ids.slice(at)] };
}

/** A thing put into a list, or taken out where it is in it. */
export function flipped(list: readonly string[], one: string): string[] {
  return list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
}

/** A column as wide as this, within reason; null is its own width again. */
export function resized(options: TableOptions, id: string, width: number | null): Partial<TableOptions> {
  const { [id]: _, ...others } = options.widths;
  if (width === null) return { widths: others };
  return { widths: { ...others, [id]: Math.round(Math.max(NARROWEST, Math.min(WIDEST, width))) } };
}
