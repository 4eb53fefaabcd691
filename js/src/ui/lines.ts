import type { Flag, Goal, Mark } from "../contract.ts";
import { formatReal } from "./format.ts";
import type { Point } from "./plot/scene.ts";
import type { Curve } from "./plot/trace.ts";
import type { Group } from "./series.ts";

/** The name of a plot as it is called in its section. */
export function shortName({ name, prefix }: Pick<Group, "name" | "prefix">): string {
  return prefix ? name.slice(prefix.length + 1) : name;
}

/** A note or an alert in words. */
export function noted(mark: Mark | Flag): string {
  const { step, text } = mark;
  const level = "level" in mark && mark.level !== "info" ? `${mark.level === "warn" ? "warning" : mark.level}: ` : "";
  return step === null ? `${level}${text}` : `step ${step.toLocaleString("en-US")}: ${level}${text}`;
}

export function bestOf({ x, y }: Curve, goal: Goal): Point | null {
  if (goal === "none") return null;
  const sign = goal === "max" ? -1 : 1;
  let best = -1;
  for (let i = 0; i < y.length; i++) {
    const value = y[i] as number;
    if (!Number.isNaN(value) && (best < 0 || sign * value < sign * (y[best] as number))) best = i;
  }
  return best < 0 ? null : { x: x[best] as number, y: y[best] as number };
}

export function spell(value: number | string): string {
  return typeof value === "string" ? value : formatReal(value);
}

/** How a run stands among earlier runs of its cell; the band behind its line is theirs. */
export function standing(earlier: number, beaten: number | undefined): string {
  const those = `${earlier} earlier runs`;
  if (beaten === undefined) return `grey: the middle half of ${those}`;
  const [word, share] = beaten >= 0.5 ? ["better", beaten] : ["worse", 1 - beaten];
  return `${word} than ${Math.round(100 * share)}% of ${those} at this step`;
}
