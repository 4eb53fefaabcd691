import type { Setting } from "./card.ts";
import type { Entry } from "./legend.ts";
import { shortName } from "./lines.ts";
import { rank } from "./names.ts";
import { pooled, type Spread } from "./plot/pool.ts";
import { smooth } from "./plot/smooth.ts";
import { type Curve, type Trace, trace } from "./plot/trace.ts";
import type { Group, Member } from "./series.ts";
import { DASHES } from "./theme.ts";

/** One line as it is drawn and called: a series of one run, or the mean of those of a group of runs. */
export interface Strand extends Entry {
  members: readonly Member[];
}

export interface Traced {
  /** The points of a run, or the mean over a group. */
  trace: Trace;
  /** The same, or what smoothing made of it. */
  curve: Curve;
  /** How far the runs of a group lie apart; nothing for one run. */
  spread: Spread | null;
  of: readonly unknown[];
}

/** One run: colour tells the split. Several: colour tells the run or the group of runs, dash the split. */
export function strands({ name, prefix, members }: Group, { runs, colours, theme, pools }: Setting): Strand[] {
  const splits = rank(members.map((member) => member.split));
  const dashOf = (split: string, at: number): readonly number[] =>
    DASHES[(splits.indexOf(split) + Math.floor(at / theme.palette.length)) % DASHES.length] ?? [];
  if (pools) {
    const found = new Map<string, Member[]>();
    for (const member of members) {
      const key = `group:${pools.get(member.run) ?? ""}/${member.metric}`;
      found.set(key, [...(found.get(key) ?? []), member]);
    }
    const labels = [...new Set(pools.values())];
    return [...found].map(([key, together]) => {
      const { run, split } = together[0] as Member;
      const label = pools.get(run) ?? "";
      const dash = dashOf(split, labels.indexOf(label));
      const told = `${split} n=${together.length}`.trim();
      return { key, name: label, split: told, colour: colours.get(run) ?? 0, dash, members: together };
    });
  }
  const places = [...runs.keys()];
  const placeOf = ({ split }: Member): number => splits.indexOf(split);
  const told = runs.size > 1 ? members : [...members].sort((a, b) => placeOf(a) - placeOf(b));
  return told.map((member) => {
    const { key, run, split } = member;
    if (runs.size <= 1) {
      const called = split || shortName({ name, prefix });
      return { key, name: "", split: called, colour: splits.indexOf(split), dash: [], members: [member] };
    }
    const dash = dashOf(split, places.indexOf(run));
    return { key, name: runs.get(run)?.name ?? run, split, colour: colours.get(run) ?? 0, dash, members: [member] };
  });
}

/** The lines of a plot, each made anew only when points came. */
export class Traces {
  #known: (Traced | undefined)[] = [];

  at(index: number): Traced | undefined {
    return this.#known[index];
  }

  forget(): void {
    this.#known = [];
  }

  /** A strand as a line in this window. */
  of({ members }: Strand, index: number, range: readonly [number, number], setting: Setting): Traced {
    const columns = members.map(({ column, closer }) =>
      closer && closer.range[0] <= range[0] && range[1] <= closer.range[1] ? closer.column : column,
    );
    const of = columns.flatMap((column) => [column, column.count]);
    const known = this.#known[index];
    if (known && known.of.length === of.length && known.of.every((one, i) => one === of[i])) return known;
    const { axis, bend, smooth: how, weight, spread: way } = setting;
    const traces = columns.map((column, i) => trace(column, axis.placeOf(members[i]?.run ?? ""), bend));
    const together = setting.pools ? pooled(traces, way) : null;
    const raw = together?.mean ?? (traces[0] as Trace);
    const logged = columns.reduce((sum, column) => Math.max(sum, column.count), 0);
    const smoothed = (curve: Curve): Curve =>
      how === "none" || weight === 0 ? curve : { x: curve.x, y: smooth(curve, how, weight, logged) };
    const lines = (spread: Spread): Spread => ({
      x: spread.x,
      low: smoothed({ x: spread.x, y: spread.low }).y,
      high: smoothed({ x: spread.x, y: spread.high }).y,
    });
    const made = { trace: raw, curve: smoothed(raw), spread: together ? lines(together.spread) : null, of };
    this.#known[index] = made;
    return made;
  }
}
