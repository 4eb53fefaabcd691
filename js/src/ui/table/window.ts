/** Which items of a line of boxes are on screen: [first, end). */
export interface Span {
  first: number;
  end: number;
}

const MARGIN_ROWS = 2;

/** The rows of one height to draw; a few more than fit, so that a scroll step shows no gap. */
export function rowSpan(n: number, height: number, scroll: number, room: number): Span {
  const first = Math.max(0, Math.floor(scroll / height) - MARGIN_ROWS);
  return { first: Math.min(first, n), end: Math.min(n, Math.ceil((scroll + room) / height) + MARGIN_ROWS) };
}

/** The left edge of each column and, last, the right edge of all. */
export function edges(widths: readonly number[]): number[] {
  const found = [0];
  for (const width of widths) found.push((found.at(-1) ?? 0) + width);
  return found;
}

/** The columns to draw, between the pinned ones and the right border. */
export function columnSpan(lefts: readonly number[], pinned: number, scroll: number, room: number): Span {
  const n = lefts.length - 1;
  const from = scroll + (lefts[pinned] ?? 0);
  let first = pinned;
  while (first < n && (lefts[first + 1] ?? 0) <= from) first += 1;
  let end = first;
  while (end < n && (lefts[end] ?? 0) < scroll + room) end += 1;
  return { first, end };
}

/** The nearest scroll position at which [start, end) lies inside the room that begins after `before`. */
export function scrolledTo(start: number, end: number, scroll: number, room: number, before: number): number {
  if (start - before < scroll) return Math.max(0, start - before);
  return end > scroll + room ? end - room : scroll;
}
