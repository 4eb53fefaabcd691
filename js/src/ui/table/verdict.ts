import type { Goal } from "../../contract.ts";
import { formatReal } from "../format.ts";
import { t95 } from "./interval.ts";

/** Numbers of a group of runs: how many, their mean, and half of its 95% interval. */
export interface Measured {
  known: number;
  mean: number;
  half: number | null;
}

/** Whether a group is better than another, as far as its repeats can tell. */
export interface Verdict {
  word: "better" | "worse" | "higher" | "lower" | "not distinguishable";
  by: number;
  low: number; // of the 95% interval of the difference
  high: number;
  count: string; // "n=3", or "n=3 and 5"
}

/** By Welch's interval of the difference; null where either group has no spread to judge by. */
export function judged(goal: Goal, base: Measured, group: Measured): Verdict | null {
  const [a, b] = [varianceOf(base), varianceOf(group)];
  if (a === null || b === null || a + b === 0) return null;
  const df = (a + b) ** 2 / (a ** 2 / (base.known - 1) + b ** 2 / (group.known - 1));
  const by = group.mean - base.mean;
  const half = t95(df) * Math.sqrt(a + b);
  const count = base.known === group.known ? `n=${base.known}` : `n=${base.known} and ${group.known}`;
  return { word: wordOf(goal, by, half), by, low: by - half, high: by + half, count };
}

/** The verdict in a cell, its mark before it; and in full. */
export function verdictTold({ word, by, low, high, count }: Verdict): { text: string; title: string } {
  if (word === "not distinguishable") {
    return {
      text: `≈ ${word} (${count})`,
      title: `${word} (${count}): the difference lies between ${ends(low, high)}`,
    };
  }
  const arrow = word === "worse" ? (by > 0 ? "△" : "▽") : by > 0 ? "▲" : "▼";
  const title = `${word} by ${formatReal(Math.abs(by))}, 95% interval ${formatReal(low)} to ${formatReal(high)} (${count})`;
  return { text: `${arrow} ${word} (${count})`, title };
}

function ends(low: number, high: number): string {
  return `${formatReal(low)} and ${formatReal(high)}`;
}

function wordOf(goal: Goal, by: number, half: number): Verdict["word"] {
  if (Math.abs(by) <= half) return "not distinguishable";
  if (goal === "none") return by > 0 ? "higher" : "lower";
  return by > 0 === (goal === "max") ? "better" : "worse";
}

/** The variance of a mean, out of the interval it was shown with. */
function varianceOf({ known, half }: Measured): number | null {
  return known < 2 || half === null ? null : (half / t95(known - 1)) ** 2;
}
