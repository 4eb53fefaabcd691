import { element } from "./element.ts";
import { formatDuration, formatReal } from "./format.ts";
import type { X } from "./plot/ticks.ts";
import { clock } from "./plot/ticks.ts";
import type { Place } from "./plot/trace.ts";
import type { Member, SeriesSet } from "./series.ts";

const PLAIN = ["step", "relative", "time"];
const WORDS: Record<string, string> = { step: "step", relative: "relative time", time: "wall time" };
const MOST = 200; // metrics that are offered as axes

/** What stands along x, for all plots of a chart. */
export interface Axis {
  name: string;
  /** How its values are read. */
  by: X;
  /** Where the points of a run stand. */
  placeOf(run: string): Place;
  /** Its ends, common to all so that plots side by side can be read against each other; or those of some series. */
  extent(members?: Iterable<Member>): [number, number] | undefined;
  /** One of its values, in words. */
  spell(x: number): string;
}

/** The axis of this name; the step where the series that it asks for is not there. */
export function axisOf(asked: string, set: SeriesSet): Axis {
  const name = offered(asked, set) ? asked : "step";
  const started = (run: string): number => set.runs.get(run)?.started ?? 0;
  switch (name) {
    case "step":
      return axis(
        name,
        "step",
        set,
        () => (step) => [...step],
        (x) => `step ${formatReal(x)}`,
      );
    case "relative":
      return axis(name, "relative", set, () => (_, seconds) => [...seconds], formatDuration);
    case "time": {
      const place = (run: string): Place => {
        const began = started(run);
        return (_, seconds) => seconds.map((each) => began + each);
      };
      return axis(name, "time", set, place, (x) => clock(x, true));
    }
    default:
      return axis(
        name,
        "number",
        set,
        (run) => carried(set, run, name),
        (x) => `${name} ${formatReal(x)}`,
      );
  }
}

function offered(name: string, set: SeriesSet): boolean {
  if (name === "time") return [...set.runs.values()].every((run) => run.started > 0);
  return PLAIN.includes(name) || set.metrics.has(name);
}

function axis(name: string, by: X, set: SeriesSet, placeOf: Axis["placeOf"], spell: Axis["spell"]): Axis {
  const extent: Axis["extent"] = (members = set.members) => {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const { run, metric, column } of members) {
      if (by === "number" && metric !== name) continue;
      const began = by === "time" ? (set.runs.get(run)?.started ?? 0) : 0;
      const ends = by === "number" ? [column.min, column.max] : column.extent(by === "step" ? "step" : "time");
      low = Math.min(low, began + (ends[0] as number));
      high = Math.max(high, began + (ends[1] as number));
    }
    if (low > high) return undefined;
    return high > low ? [low, high] : [low, low + 1];
  };
  return { name, by, placeOf, extent, spell };
}

/** A point stands where the metric was in the same call, or in the last before it; before the first it stands nowhere. */
function carried(set: SeriesSet, run: string, metric: string): Place {
  const member = set.member(run, metric);
  const { seconds, value } = (member?.closer?.column ?? member?.column)?.drawn() ?? { seconds: [], value: [] };
  return (_, at) =>
    at.map((moment) => {
      let low = 0;
      let high = seconds.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((seconds[middle] as number) <= moment) low = middle + 1;
        else high = middle;
      }
      return value[low - 1] ?? Number.NaN;
    });
}

/** Which axis: the three that are always there, those declared for some metric, and any other metric. */
export class AxisChoice {
  readonly el = element("select", { class: "ct-select", "aria-label": "x axis" });
  #told = "";

  constructor(chosen: (x: string) => void) {
    this.el.addEventListener("change", () => chosen(this.el.value));
  }

  show(x: string, set: SeriesSet): void {
    const declared = [...new Set([...set.runs.values()].flatMap((run) => run.axes ?? []))].filter((name) =>
      set.metrics.has(name),
    );
    const others = [...set.metrics].filter((name) => !declared.includes(name)).sort();
    const told = JSON.stringify([declared, others.slice(0, MOST)]);
    if (told !== this.#told) {
      this.#told = told;
      const options = (names: readonly string[]): HTMLElement[] =>
        names.map((name) => element("option", { value: name }, WORDS[name] ?? name));
      const more = others.slice(0, MOST);
      const group = more.length > 0 ? element("optgroup", { label: "any metric" }, ...options(more)) : null;
      this.el.replaceChildren(...options([...PLAIN.filter((name) => offered(name, set)), ...declared]));
      if (group) this.el.append(group);
    }
    if (this.el.value !== x) this.el.value = offered(x, set) ? x : "step";
  }
}
