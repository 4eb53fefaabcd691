import type { ChartOptions } from "../../contract.ts";
import type { Trace } from "./trace.ts";

/** How far several lines lie apart; NaN where there is only one. */
export interface Spread {
  x: readonly number[];
  low: readonly number[];
  high: readonly number[];
}

const MOST = 1000; // places of a mean
// the 97.5 % quantiles of Student's t with 1, 2, 3 ... degrees of freedom
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131];

/** The quantile for so many degrees of freedom; off by less than 1 % beyond the table. */
export function student(freedom: number): number {
  return T[freedom - 1] ?? 1.96 + 2.4 / freedom;
}

/**
 * The mean of lines, and their 95 % interval or their ends; as `panels/pools.py` does it for the saved picture.
 *
 * Between its points a line is straight, before its first and after its last it does not count.
 */
export function pooled(traces: readonly Trace[], how: ChartOptions["spread"]): { mean: Trace; spread: Spread } {
  const x = grid(traces);
  const values = traces.map((one) => along(one, x));
  const y: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  x.forEach((_, i) => {
    const here = values.map((line) => line[i] as number).filter((value) => !Number.isNaN(value));
    const n = here.length;
    const mean = here.reduce((sum, value) => sum + value, 0) / n;
    const apart = Math.sqrt(here.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1) / n);
    y.push(mean);
    low.push(n < 2 ? Number.NaN : how === "range" ? Math.min(...here) : mean - student(n - 1) * apart);
    high.push(n < 2 ? Number.NaN : how === "range" ? Math.max(...here) : mean + student(n - 1) * apart);
  });
  const marks = traces.flatMap((one) => one.marks);
  const unshown = traces.reduce((sum, one) => sum + one.unshown, 0);
  return { mean: { x, y, marks, unshown }, spread: { x, low, high } };
}

/** The places of all lines, or so many of them. */
function grid(traces: readonly Trace[]): number[] {
  const all = [...new Set(traces.flatMap(({ x }) => x))].sort((a, b) => a - b);
  if (all.length <= MOST) return all;
  return Array.from({ length: MOST }, (_, i) => all[Math.round((i * (all.length - 1)) / (MOST - 1))] as number);
}

/** A line at other places: of its points before and after, the straight line between. */
function along({ x, y }: Trace, places: readonly number[]): number[] {
  let at = 0;
  return places.map((place) => {
    // of several points at one place the last counts
    while (at < x.length && (x[at] as number) <= place) at++;
    const [left, right] = [x[at - 1], x[at]];
    if (left === place) return y[at - 1] as number;
    if (left === undefined || right === undefined) return Number.NaN;
    const share = (place - left) / (right - left);
    return (y[at - 1] as number) * (1 - share) + (y[at] as number) * share;
  });
}
