import type { ChartOptions } from "../../contract.ts";
import type { Curve } from "./trace.ts";

export type Smoothing = ChartOptions["smooth"];
export const SMOOTHINGS = ["none", "ema", "time", "median"] as const;

const WIDEST = 1000; // points on either side that a median looks at

/**
 * The values of a line made smooth, NaN where it has a gap; as `panels/smooth.py` does it for the saved picture.
 *
 * `logged` is how many points the line stands for: a thinned line is smoothed as if all of them were there.
 */
export function smooth({ x, y }: Curve, how: Smoothing, weight: number, logged: number): number[] {
  if (how === "median") return median(y, Math.round((weight / (1 - weight)) * Math.min(1, y.length / logged)));
  const first = x[0] ?? 0;
  const pace = ((x.at(-1) ?? 0) - first) / Math.max(1, logged - 1) || 1;
  const each = Math.max(1, logged / y.length);
  let sum = 0;
  let mass = 0;
  let before = first;
  return y.map((value, i) => {
    if (!Number.isFinite(value)) return Number.NaN;
    const at = x[i] ?? 0;
    const kept = weight ** (how === "time" ? (at - before) / pace : each);
    before = at;
    sum = kept * sum + value;
    mass = kept * mass + 1;
    return sum / mass;
  });
}

/** The middle of the values around each; fewer of them at the ends. */
function median(y: readonly number[], reach: number): number[] {
  const half = Math.min(reach, WIDEST);
  const places = y.flatMap((value, i) => (Number.isFinite(value) ? [i] : []));
  const values = places.map((i) => y[i] as number);
  const smoothed: number[] = y.map(() => Number.NaN);
  const sorted: number[] = [];
  const put = (value: number): void => void sorted.splice(place(sorted, value), 0, value);
  for (let i = 0; i < half && i < values.length; i++) put(values[i] as number);
  values.forEach((_, i) => {
    const comes = values[i + half];
    if (comes !== undefined) put(comes);
    const goes = values[i - half - 1];
    if (goes !== undefined) sorted.splice(place(sorted, goes), 1);
    const middle = sorted.length >> 1;
    const high = sorted[middle] as number;
    smoothed[places[i] as number] = sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] as number)) / 2;
  });
  return smoothed;
}

function place(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
