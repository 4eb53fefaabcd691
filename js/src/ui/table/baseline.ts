import type { RunRow } from "../../contract.ts";
import { formatReal } from "../format.ts";
import { type Column, goalArrow } from "./columns.ts";

/** How a run stands to the baseline in one column. */
export interface Delta {
  text: string; // with sign and arrow; a full arrow is better, a hollow one worse
  verdict: "better" | "worse" | "same" | "";
  title: string;
}

/** The difference of two numbers of a column; null where either is missing. */
export function deltaOf(column: Column, row: RunRow, baseline: RunRow): Delta | null {
  if (!(column.kind === "last" || column.kind === "best" || column.kind === "duration")) return null;
  const [value, base] = [column.key(row), column.key(baseline)];
  if (typeof value !== "number" || typeof base !== "number" || !Number.isFinite(value) || !Number.isFinite(base)) {
    return null;
  }
  const by = value - base;
  if (by === 0) return { text: "=", verdict: "same", title: `the same as ${baseline.name}` };
  const goal = column.goal;
  const verdict = goal === "none" ? "" : by > 0 === (goal === "max") ? "better" : "worse";
  const share = base === 0 ? "" : ` (${by > 0 ? "+" : "−"}${formatReal(Math.abs((100 * by) / base))}%)`;
  const size = column.kind === "duration" ? column.text({ ...row, duration: Math.abs(by) }) : formatReal(Math.abs(by));
  const word = verdict ? `${verdict}; ${goalArrow(goal).word}` : by > 0 ? "more" : "less";
  return {
    text: `${arrowOf(by, verdict)}${by > 0 ? "+" : "−"}${size}`,
    verdict,
    title: `${by > 0 ? "+" : "−"}${size}${share} against ${baseline.name}: ${word}`,
  };
}

/** Whether a parameter or another fact is not what it is in the baseline. */
export function departs(column: Column, row: RunRow, baseline: RunRow): boolean {
  return column.kind === "param" && row.id !== baseline.id && column.raw(row) !== column.raw(baseline);
}

function arrowOf(by: number, verdict: Delta["verdict"]): string {
  if (verdict === "worse") return by > 0 ? "△" : "▽";
  return by > 0 ? "▲" : "▼";
}
