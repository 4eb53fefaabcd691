import type { Goal } from "../contract.ts";
import type { Setting } from "./card.ts";
import type { Facts } from "./legend.ts";
import type { Trace } from "./plot/trace.ts";
import type { Member } from "./series.ts";
import type { Strand } from "./strands.ts";

export function goalOf({ members: [first] }: Strand, { runs }: Setting): Goal {
  return (first && runs.get(first.run)?.goals[first.metric]) ?? "none";
}

/**
 * What the legend tells of a line. The last value of a run is the kernel's, who has seen every point; the column
 * knows it too for a saved run. Those of a group are of their mean.
 */
export function factsOf(strand: Strand, trace: Trace | undefined, setting: Setting): Facts {
  const { members } = strand;
  const first = members[0] as Member;
  const mean = setting.pools && trace ? trace.y.filter((value) => !Number.isNaN(value)) : null;
  const known = mean ? mean.at(-1) : (setting.runs.get(first.run)?.last[first.metric] ?? first.column.last);
  const ends = mean ? endsOf(mean) : first.column;
  const some = ends.min <= ends.max;
  return {
    last: known ?? null,
    min: some ? ends.min : null,
    max: some ? ends.max : null,
    nan: members.reduce((sum, { column }) => sum + column.nan, 0),
    inf: members.reduce((sum, { column }) => sum + column.inf, 0),
    unshown: trace?.unshown ?? 0,
    goal: goalOf(strand, setting),
  };
}

function endsOf(values: readonly number[]): { min: number; max: number } {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)];
  return { min, max };
}
