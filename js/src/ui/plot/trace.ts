import type { Column } from "../columns.ts";
import type { Bend } from "./scale.ts";

/** Places of points, ascending, and their values; a value that is NaN is a gap. */
export interface Curve {
  x: readonly number[];
  y: readonly number[];
}

export interface Trace extends Curve {
  /** x of the values no line can show. */
  marks: number[];
  /** Values left out because the axis is logarithmic. */
  unshown: number;
}

/** Where points of these steps and seconds stand on the axis; NaN is nowhere. */
export type Place = (step: readonly number[], seconds: readonly number[]) => number[];

/**
 * A column as a line. Points of equal x stay as many: a step logged twice is drawn twice. Values that are not finite,
 * and on a logarithmic axis those not above zero, break the line and leave a mark.
 */
export function trace(column: Column, place: Place, bend: Bend): Trace {
  const { step, seconds, value } = column.drawn();
  const x = place(step, seconds);
  const lost = column.marks;
  const marks = place(
    lost.map((mark) => mark.step),
    lost.map((mark) => mark.seconds),
  ).filter(Number.isFinite);
  for (const at of marks) {
    x.push(at);
    value.push(Number.NaN);
  }
  let unshown = 0;
  if (bend === "log") {
    for (let i = 0; i < value.length; i++) {
      if (!((value[i] ?? 1) <= 0)) continue;
      marks.push(x[i] ?? Number.NaN);
      value[i] = Number.NaN;
      unshown++;
    }
  }
  return { ...ascending(x, value), marks, unshown };
}

function ascending(x: number[], y: number[]): Curve {
  let sorted = true;
  for (let i = 0; i < x.length && sorted; i++) {
    sorted = Number.isFinite(x[i]) && (i === 0 || (x[i - 1] ?? 0) <= (x[i] ?? 0));
  }
  if (sorted) return { x, y };
  const order = x.map((_, i) => i).filter((i) => Number.isFinite(x[i]));
  order.sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0));
  return { x: order.map((i) => x[i] ?? 0), y: order.map((i) => y[i] ?? Number.NaN) };
}

/** The first place that is not below `x`. */
export function search(places: readonly number[], x: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The point nearest to `x` that has a value: its index, or -1 when all of them are further than `reach` beyond an end. */
export function nearest({ x, y }: Curve, at: number, reach: number): number {
  let right = search(x, at);
  let left = right - 1;
  while (left >= 0 && Number.isNaN(y[left])) left--;
  while (right < x.length && Number.isNaN(y[right])) right++;
  const before = left < 0 ? Number.POSITIVE_INFINITY : at - (x[left] ?? 0);
  const after = right >= x.length ? Number.POSITIVE_INFINITY : (x[right] ?? 0) - at;
  const inside = left >= 0 && right < x.length;
  if (!inside && Math.min(before, after) > reach) return -1;
  return before <= after ? left : right;
}
