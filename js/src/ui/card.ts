import type { RunState } from "../contract.ts";
import type { Column } from "./columns.ts";
import { element, say } from "./element.ts";
import { formatDuration, formatReal } from "./format.ts";
import { type Entry, type Facts, Legend } from "./legend.ts";
import { Plot, type PlotEvents, type Range } from "./plot/plot.ts";
import type { Bend } from "./plot/scale.ts";
import type { Scene } from "./plot/scene.ts";
import type { X } from "./plot/ticks.ts";
import { type Place, type Trace, trace } from "./plot/trace.ts";
import type { Group, Member } from "./series.ts";
import { DASHES, paint, type Theme } from "./theme.ts";

/** What all cards of a chart share. */
export interface Setting {
  theme: Theme;
  x: X;
  place: Place;
  bend: Bend;
  hidden: ReadonlySet<string>;
  colours: ReadonlyMap<string, number>;
  runs: ReadonlyMap<string, RunState>;
}

export interface CardEvents extends PlotEvents {
  toggle(key: string): void;
}

const SPLITS = ["train", "val", "test"];
export const PLOT_HEIGHT = 172;
const ZOOM = 0.5; // of the window is left by one key
const PAN = 0.25; // of the window is moved by one key

/** One plot with its name above and its legend below. */
export class Card {
  readonly el: HTMLElement;
  /** Off screen it is not drawn; the first draw comes when it scrolls into view. */
  visible = true;
  readonly #legend: Legend;
  readonly #plot: Plot;
  readonly #stage: HTMLElement;
  readonly #spoken = element("div", { class: "ct-unseen", "aria-live": "polite" });
  readonly #entries: Entry[];
  #traces: { trace: Trace; of: Column; count: number }[] = [];
  #range: readonly [number, number] = [0, 1];
  #speaking = false;

  constructor(
    private readonly group: Group,
    private setting: Setting,
    private readonly events: CardEvents,
  ) {
    this.#entries = entries(group, setting);
    this.#legend = new Legend(group.name, this.#entries, {
      toggle: events.toggle,
      point: (row) => this.#plot.focus(row !== null && this.#isShown(row) ? row : null),
    });
    this.#stage = element("div", {
      class: "stage",
      tabindex: 0,
      role: "group",
      "aria-roledescription": "plot",
      "aria-label": `${group.name}: arrow keys read the values, plus and minus zoom, brackets pan, 0 shows all`,
    });
    this.el = element("div", { class: "card", role: "figure" }, element("h3", {}, group.name));
    this.el.append(this.#stage, this.#legend.el, this.#spoken);
    this.#plot = new Plot(events, PLOT_HEIGHT);
    this.#stage.append(this.#plot.el);
    this.#stage.addEventListener("keydown", (event) => this.#key(event));
    this.#stage.addEventListener("blur", () => events.point(null));
    this.apply(setting);
  }

  /** New colours or another axis: what was drawn is made anew. */
  apply(setting: Setting): void {
    this.setting = setting;
    this.#traces = [];
    this.#legend.paint(setting.theme, this.#entries);
    this.#legend.shown(setting.hidden);
  }

  toggle(hidden: ReadonlySet<string>): void {
    this.setting = { ...this.setting, hidden };
    this.#legend.shown(hidden);
    this.#plot.focus(null);
  }

  draw(range: Range): boolean {
    this.#range = range;
    const drawn = this.#plot.show(this.#scene(range), this.#stage.clientWidth);
    const { members, name } = this.group;
    const facts = members.map((member, i) => this.#facts(member, this.#traces[i]?.trace.unshown ?? 0));
    this.#legend.facts(facts);
    const first = facts[0];
    const last = first?.last === null || first === undefined ? "no value yet" : `last ${spell(first.last)}`;
    const sentence = `${name}, ${members.length === 1 ? "1 series" : `${members.length} series`}, ${last}`;
    if (this.el.getAttribute("aria-label") !== sentence) this.el.setAttribute("aria-label", sentence);
    return drawn;
  }

  /** The cursor of all cards stands here. */
  point(x: number | null): void {
    const found = this.#plot.point(x);
    const values = found.map((index, i) => this.#traces[i]?.trace.y[index] ?? null);
    const place = x === null ? null : this.setting.x === "step" ? `step ${formatReal(x)}` : formatDuration(x);
    this.#legend.cursor(place, values);
    if (!this.#speaking || place === null) return;
    const told = this.#entries.flatMap((one, i) => {
      const value = values[i];
      return typeof value === "number" ? [`${one.name} ${one.split} ${formatReal(value)}`.trim()] : [];
    });
    say(this.#spoken, `${place}: ${told.slice(0, 4).join(", ")}`);
  }

  brush(range: Range | null): void {
    this.#plot.brush(range);
  }

  destroy(): void {
    this.#plot.destroy();
    this.el.remove();
  }

  #isShown(row: number): boolean {
    return !this.setting.hidden.has(this.#entries[row]?.key ?? "");
  }

  #scene(range: Range): Scene {
    const { theme, x, bend, hidden } = this.setting;
    const lines = this.group.members.map(({ column, key }, i) => {
      const { colour = 0, dash = [] } = this.#entries[i] ?? {};
      const curve = this.#trace(column, i);
      return { curve, colour: paint(theme, colour), dash, shown: !hidden.has(key), marks: curve.marks };
    });
    return { lines, range, by: x, bend, theme };
  }

  /** A line is made anew only when points came. */
  #trace(column: Column, index: number): Trace {
    const known = this.#traces[index];
    if (known?.of === column && known.count === column.count) return known.trace;
    const made = trace(column, this.setting.place, this.setting.bend);
    this.#traces[index] = { trace: made, of: column, count: column.count };
    return made;
  }

  /** The last value is the kernel's, who has seen every point; the column knows it too for a saved run. */
  #facts({ column, run, metric }: Member, unshown: number): Facts {
    const known = this.setting.runs.get(run)?.last[metric];
    const some = column.min <= column.max;
    return {
      last: known ?? column.last ?? null,
      min: some ? column.min : null,
      max: some ? column.max : null,
      nan: column.nan,
      inf: column.inf,
      unshown,
    };
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = event.shiftKey ? 10 : 1;
    const walks: Record<string, [number, number]> = {
      ArrowLeft: [-far, 0],
      ArrowRight: [far, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
      Home: [Number.NEGATIVE_INFINITY, 0],
      End: [Number.POSITIVE_INFINITY, 0],
    };
    const way = walks[event.key];
    if (way) {
      event.preventDefault();
      this.#speaking = true;
      this.#plot.walk(...way);
      this.#speaking = false;
    }
    const [low, high] = this.#range;
    const width = high - low;
    const near = this.#plot.cursor ?? (low + high) / 2;
    const about = (factor: number): Range => [near + (low - near) * factor, near + (high - near) * factor];
    if (event.key === "+" || event.key === "=") this.events.zoom(about(ZOOM));
    if (event.key === "-") this.events.zoom(about(1 / ZOOM));
    if (event.key === "[") this.events.zoom([low - PAN * width, high - PAN * width]);
    if (event.key === "]") this.events.zoom([low + PAN * width, high + PAN * width]);
    if (event.key === "0") this.events.zoom(null);
    if (event.key === "Escape") this.events.point(null);
  }
}

/** One run: colour tells the split. Several: colour tells the run, dash the split. */
function entries({ name, members }: Group, { runs, colours, theme }: Setting): Entry[] {
  const splits = rank(new Set(members.map((member) => member.split)));
  return members.map(({ key, run, split }) => {
    const place = splits.indexOf(split);
    if (runs.size <= 1) return { key, name: "", split: split || name, colour: place, dash: [] };
    const round = Math.floor([...runs.keys()].indexOf(run) / theme.palette.length);
    const dash = DASHES[(place + round) % DASHES.length] ?? [];
    return { key, name: runs.get(run)?.name ?? run, split, colour: colours.get(run) ?? 0, dash };
  });
}

/** Train before val before test, whichever was logged first: the same look in every plot. */
function rank(splits: ReadonlySet<string>): string[] {
  return [...SPLITS.filter((split) => splits.has(split)), ...[...splits].filter((split) => !SPLITS.includes(split))];
}

function spell(value: number | string): string {
  return typeof value === "string" ? value : formatReal(value);
}
