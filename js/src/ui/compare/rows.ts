import type { Comparison, Difference, Scalar, Verdict } from "../../contract.ts";
import { formatDuration, formatMoment, formatReal, formatScalar, NOTHING, toNumber } from "../format.ts";

/** One value of one run in a row of the comparison. */
export interface Value {
  text: string;
  best: boolean;
  like: boolean; // the same as in the first run
  around: string; // where it lies over its repeats or rows, "" where there are none
  verdict: Verdict | null; // against the first run, where that can be told
}

/** One fact over all runs. */
export interface FactRow {
  name: string;
  /** The same for a reader. */
  words: string;
  goal: Difference["goal"];
  differs: boolean;
  values: Value[];
}

/** Facts of one kind and how many of them differ. */
export interface Section {
  title: string;
  rows: FactRow[];
  differing: number;
  equal: number;
}

/** The comparison as sections of rows; a section without facts is left out. */
export function sections(comparison: Comparison): Section[] {
  return [
    section("facts", comparison.facts, factText),
    section("params", comparison.params, (_, value) => scalarText(value)),
    section("data", comparison.data ?? [], (_, value) => scalarText(value)), // saved panels may lack it
    section("metrics", comparison.metrics, (_, value) => metricText(value)),
    section("environment", comparison.environment, (_, value) => scalarText(value)),
  ].filter((one) => one.rows.length > 0);
}

/** Which of the values is the best in this direction; all false when fewer than two are known or all tie. */
export function bestOf(values: readonly Scalar[], goal: Difference["goal"]): boolean[] {
  const known = values.map((value) => (goal === "none" ? undefined : measured(value)));
  const numbers = known.filter((value) => value !== undefined);
  const best = goal === "max" ? Math.max(...numbers) : Math.min(...numbers);
  const found = known.map((value) => value === best);
  return found.filter(Boolean).length < numbers.length ? found : values.map(() => false);
}

function section(title: string, facts: readonly Difference[], text: (name: string, value: Scalar) => string): Section {
  const rows = facts.map((fact) => {
    const best = bestOf(fact.values, fact.goal);
    const values = fact.values.map((value, at) => ({
      text: text(fact.name, value),
      best: best[at] ?? false,
      like: at > 0 && value === fact.values[0],
      ...judgedOf(fact.verdicts?.[at] ?? null), // saved panels may lack it
    }));
    const words = fact.words || fact.name; // saved panels may lack it
    return { name: fact.name, words, goal: fact.goal, differs: fact.differs, values };
  });
  const differing = rows.filter((row) => row.differs).length;
  return { title, rows, differing, equal: rows.length - differing };
}

function judgedOf(verdict: Verdict | null): Pick<Value, "around" | "verdict"> {
  return { around: verdict?.around ?? "", verdict: verdict?.word ? verdict : null };
}

function measured(value: Scalar): number | undefined {
  const found = typeof value === "number" || isWord(value) ? toNumber(value) : undefined;
  return found === undefined || Number.isNaN(found) ? undefined : found;
}

function isWord(value: Scalar): value is "nan" | "inf" | "-inf" {
  return value === "nan" || value === "inf" || value === "-inf";
}

function factText(name: string, value: Scalar): string {
  if (typeof value !== "number") return scalarText(value);
  if (name === "duration") return formatDuration(value);
  return name === "created" || name === "started" || name === "ended" ? formatMoment(value) : scalarText(value);
}

function metricText(value: Scalar): string {
  return typeof value === "number" ? formatReal(value) : scalarText(value);
}

/** A comparison has no way to tell None from "not set"; the dash stands for both. */
function scalarText(value: Scalar): string {
  return value === null ? NOTHING : formatScalar(value);
}
