import type { Part, Points, RunState } from "../contract.ts";
import { Column } from "./columns.ts";
import { partsOf, standing } from "./names.ts";

/** One line of a plot. */
export interface Member {
  /** "run id/metric", as the options name it. */
  key: string;
  run: string;
  metric: string;
  /** The part of the data it was measured on: train, val, ... or nothing. */
  split: string;
  column: Column;
  /** A stretch of it with more of its points, and of which x that is. */
  closer: { range: readonly [number, number]; column: Column } | undefined;
}

/** The lines of one plot: one metric, in all its splits and runs. */
export interface Group {
  name: string;
  /** The first of several words of the name: sys, grad, ... or nothing. */
  prefix: string;
  members: Member[];
}

/** Everything a chart has heard, in bounded memory. */
export class SeriesSet {
  readonly runs = new Map<string, RunState>();
  readonly groups: Group[] = [];
  /** The names of all series. */
  readonly metrics = new Set<string>();
  /** Grows with every new run or line: a reason to lay out anew. */
  shape = 0;
  readonly #members = new Map<string, Member>();
  readonly #sent = new Map<string, number>();

  meet(states: readonly RunState[]): void {
    for (const state of states) {
      if (!this.runs.has(state.run) || this.runs.get(state.run)?.axes?.length !== state.axes?.length) this.shape++;
      this.runs.set(state.run, state);
    }
  }

  take(points: Points, data: Float64Array): void {
    this.meet(points.runs);
    if (points.full) this.#forget();
    let at = 0;
    for (const { run, metric, start, n } of points.parts) {
      const key = `${run}/${metric}`;
      const member = this.#member(key, run, metric);
      if (start === 0) member.column = new Column();
      // What came before, a repeated message say, is not drawn twice.
      const known = start === 0 ? 0 : Math.max(0, (this.#sent.get(key) ?? 0) - start);
      for (let i = known; i < n; i++) {
        const point = [data[at + i] ?? NaN, data[at + n + i] ?? NaN, data[at + 2 * n + i] ?? NaN] as const;
        member.column.push(...point);
        // who looks closer at the end of a run that goes on sees it grow, too
        if (!points.full) member.closer?.column.push(...point);
      }
      this.#sent.set(key, Math.max(start + n, start === 0 ? 0 : (this.#sent.get(key) ?? 0)));
      at += 3 * n;
    }
  }

  get members(): Iterable<Member> {
    return this.#members.values();
  }

  member(run: string, metric: string): Member | undefined {
    return this.#members.get(`${run}/${metric}`);
  }

  /** What is drawn over this axis: not the axis itself, nor what is declared as the axis of others, if there are others. */
  plots(axis: string): Group[] {
    const axes = new Set([...this.runs.values()].flatMap((run) => run.axes ?? []));
    const told = this.groups.filter(({ members }) => members.some(({ metric }) => metric !== axis));
    const others = told.filter(({ members }) => members.some(({ metric }) => !axes.has(metric)));
    return others.length > 0 ? others : told;
  }

  /** More points of a stretch of x, for as long as that is shown; without parts there are none. */
  focus(range: readonly [number, number], parts: readonly Part[], data: Float64Array): void {
    this.blur();
    let at = 0;
    for (const { run, metric, n } of parts) {
      const column = new Column();
      for (let i = 0; i < n; i++)
        column.push(data[at + i] ?? NaN, data[at + n + i] ?? NaN, data[at + 2 * n + i] ?? NaN);
      const member = this.#members.get(`${run}/${metric}`);
      if (member && n > 0) member.closer = { range, column };
      at += 3 * n;
    }
  }

  /** Forgets the closer look. */
  blur(): void {
    for (const member of this.#members.values()) member.closer = undefined;
  }

  /** Every point as a row of a table: run, its name, metric, step, seconds, value. */
  *rows(): Generator<(string | number)[]> {
    for (const { run, metric, column } of this.#members.values()) {
      const name = this.runs.get(run)?.name ?? run;
      const { step, seconds, value } = column.drawn();
      for (let i = 0; i < value.length; i++) yield [run, name, metric, step[i] ?? 0, seconds[i] ?? 0, value[i] ?? 0];
    }
  }

  #forget(): void {
    for (const member of this.#members.values()) member.column = new Column();
    this.#sent.clear();
  }

  #member(key: string, run: string, metric: string): Member {
    const known = this.#members.get(key);
    if (known) return known;
    const { plot: name, split, prefix } = partsOf(metric);
    const member: Member = { key, run, metric, split, column: new Column(), closer: undefined };
    this.#members.set(key, member);
    this.metrics.add(metric);
    this.shape++;
    const group = this.groups.find((one) => one.name === name);
    if (group) group.members.push(member);
    else this.#place({ name, prefix, members: [member] });
    return member;
  }

  /** After those that stand as far in front, whenever it came: the epoch is counted before there is a loss. */
  #place(group: Group): void {
    const at = this.groups.findIndex(({ name }) => standing(name) > standing(group.name));
    this.groups.splice(at < 0 ? this.groups.length : at, 0, group);
  }
}
