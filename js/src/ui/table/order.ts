/** What a column sorts by; undefined and NaN are "missing" and stay last in both directions. */
export type SortKey = number | string | undefined;

/** Column ids in order of importance, "-" in front for descending: the form `TableOptions.sort` keeps. */
export type Sort = readonly string[];

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** How a column takes part: its place from 1 and its direction, or null. */
export function sortedAs(sort: Sort, id: string): { place: number; descending: boolean } | null {
  const at = sort.findIndex((entry) => entry === id || entry === `-${id}`);
  return at < 0 ? null : { place: at + 1, descending: sort[at] !== id };
}

/** The next sort when a header is pressed: ascending, descending, none; `several` keeps the other columns. */
export function pressed(sort: Sort, id: string, several: boolean): string[] {
  const now = sortedAs(sort, id);
  const next = now === null ? [id] : now.descending ? [] : [`-${id}`];
  if (!several) return next;
  if (now === null) return [...sort, ...next];
  return sort.flatMap((entry, index) => (index === now.place - 1 ? next : [entry]));
}

/** The rows in order; rows that tie keep the order they came in. */
export function ordered<Row>(rows: readonly Row[], sort: Sort, key: (row: Row, id: string) => SortKey): Row[] {
  // Keys are read once per row, not once per comparison: 10,000 rows compare some 130,000 times.
  const columns = sort.map((entry) => {
    const descending = entry.startsWith("-");
    const id = descending ? entry.slice(1) : entry;
    return { sign: descending ? -1 : 1, keys: rows.map((row) => present(key(row, id))) };
  });
  const places = rows.map((_, index) => index);
  places.sort((a, b) => {
    for (const { sign, keys } of columns) {
      const found = compareKeys(keys[a], keys[b], sign);
      if (found !== 0) return found;
    }
    return a - b;
  });
  return places.map((index) => rows[index] as Row);
}

function present(key: SortKey): SortKey {
  return typeof key === "number" && Number.isNaN(key) ? undefined : key;
}

function compareKeys(a: SortKey, b: SortKey, sign: number): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  if (typeof a === "number" && typeof b === "number") return a < b ? -sign : sign;
  if (typeof a === "string" && typeof b === "string") return sign * collator.compare(a, b);
  // Numbers before words, so that a column of both still falls into two readable halves.
  return typeof a === "number" ? -sign : sign;
}
