import type { Mark, RunState } from "../contract.ts";
import type { Axis } from "./axis.ts";
import type { Column } from "./columns.ts";
import { element, say } from "./element.ts";
import { formatReal } from "./format.ts";
import { type Entry, type Facts, Legend } from "./legend.ts";
import { bestOf, entries, noted, shortName, spell, standing } from "./lines.ts";
import { isTrain, isVal } from "./names.ts";
import type { Pictured } from "./plot/picture.ts";
import { Plot, type PlotEvents, type Range } from "./plot/plot.ts";
import type { Bend } from "./plot/scale.ts";
import type { Band, Line, Scene } from "./plot/scene.ts";
import { type Smoothing, smooth } from "./plot/smooth.ts";
import { type Curve, nearest, search, type Trace, trace } from "./plot/trace.ts";
import type { Group, Member } from "./series.ts";
import { paint, type Theme } from "./theme.ts";

/** What all cards of a chart share. */
export interface Setting {
  theme: Theme;
  axis: Axis;
  bend: Bend;
  smooth: Smoothing;
  weight: number;
  folded: ReadonlySet<string>;
  /** Notes on points of all plots. */
  marks: readonly Mark[];
  /** Where earlier runs stood, by metric. */
  bands: ReadonlyMap<string, Band>;
  hidden: ReadonlySet<string>;
  colours: ReadonlyMap<string, number>;
  runs: ReadonlyMap<string, RunState>;
}

export interface CardEvents extends Omit<PlotEvents, "click"> {
  toggle(key: string): void;
  /** A point was chosen, to be noted on. */
  pick(card: Card, picked: Picked): void;
}

/** A point of a line. */
export interface Picked {
  run: string;
  metric: string;
  step: number;
  value: number;
}

export const PLOT_HEIGHT = 172;
const ZOOM = 0.5; // of the window is left by one key
const PAN = 0.25; // of the window is moved by one key
const RINGED = 4; // lines up to which each shows its best point

interface Traced {
  trace: Trace;
  /** The trace, or what smoothing made of it. */
  curve: Curve;
  of: Column;
  count: number;
}

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
  readonly #gap = element("p", { class: "gap" });
  readonly #notes = element("ul", { class: "notes" });
  readonly #standing = element("p", { class: "gap" });
  readonly #alone: boolean;
  #traces: Traced[] = [];
  #range: readonly [number, number] = [0, 1];
  #speaking = false;

  constructor(
    private readonly group: Group,
    private setting: Setting,
    private readonly events: CardEvents,
  ) {
    this.#entries = entries(group, setting);
    this.#alone = setting.runs.size <= 1;
    this.#legend = new Legend(group.name, this.#entries, {
      toggle: events.toggle,
      point: (row) => this.#plot.focus(row !== null && this.#isShown(row) ? row : null),
    });
    this.#stage = element("div", {
      class: "stage",
      tabindex: 0,
      role: "group",
      "aria-roledescription": "plot",
      "aria-label": `${group.name}: arrow keys read the values, plus and minus zoom, brackets pan, 0 shows all, n notes`,
    });
    this.el = element("div", { class: "card", role: "figure" }, element("h3", { title: group.name }, shortName(group)));
    this.el.append(this.#stage, this.#legend.el, this.#gap, this.#standing, this.#notes, this.#spoken);
    this.#plot = new Plot({ ...events, click: (line, x) => this.#pick(line, x) }, PLOT_HEIGHT);
    this.#stage.append(this.#plot.el);
    this.#stage.addEventListener("keydown", (event) => this.#key(event));
    this.#stage.addEventListener("blur", () => events.point(null));
    this.apply(setting);
  }

  /** New colours or another axis: what was drawn is made anew. */
  apply(setting: Setting): void {
    this.setting = setting;
    this.#traces = [];
    if (!this.visible) this.#plot.clear(); // else it would come into view in the old colours
    this.#legend.paint(setting.theme, this.#entries);
    this.#legend.shown(setting.hidden);
  }

  /** Whether this card can go on showing the group, or must be made anew. */
  shows(group: Group, setting: Setting): boolean {
    this.setting = setting;
    return group.members.length === this.#entries.length && setting.runs.size <= 1 === this.#alone;
  }

  /** The plot as a picture of this window. */
  pictured(range: Range): Pictured {
    const { lines, ...rest } = this.#scene(range);
    const labels = this.#entries.map(({ name, split }) => `${name} ${split}`.trim());
    return {
      title: this.group.name,
      labels: labels.filter((_, i) => lines[i]?.shown),
      scene: { ...rest, lines: lines.filter((line) => line.shown) },
    };
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
    this.#tellNotes();
    this.#tellStanding();
    this.#tellGap(
      facts.map(({ last }) => (typeof last === "number" ? last : null)),
      "",
    );
    const first = facts[0];
    const last = first?.last === null || first === undefined ? "no value yet" : `last ${spell(first.last)}`;
    const sentence = `${name}, ${members.length === 1 ? "1 series" : `${members.length} series`}, ${last}`;
    if (this.el.getAttribute("aria-label") !== sentence) this.el.setAttribute("aria-label", sentence);
    return drawn;
  }

  get members(): readonly Member[] {
    return this.group.members;
  }

  /** Where a box about this plot hangs. */
  get anchor(): HTMLElement {
    return this.#stage;
  }

  /** The cursor of all cards stands here. */
  point(x: number | null): void {
    const found = this.#plot.point(x);
    const values = found.map((index, i) => this.#traces[i]?.curve.y[index] ?? null);
    const place = x === null ? null : this.setting.axis.spell(x);
    this.#legend.cursor(place, values);
    if (place) this.#tellGap(values, ` at ${place}`);
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
    const { theme, axis, bend, hidden } = this.setting;
    const lines = this.group.members.map((member, i) => {
      const { key } = member;
      const { colour = 0, dash = [] } = this.#entries[i] ?? {};
      const { trace, curve } = this.#traced(member, i, range);
      const raw = curve === trace ? null : trace;
      return {
        curve,
        raw,
        best: null,
        colour: paint(theme, colour),
        dash,
        shown: !hidden.has(key),
        marks: trace.marks,
      };
    });
    const flags = this.setting.marks.filter((mark) => this.#bears(mark)).flatMap((mark) => this.#places(mark));
    return { lines: this.#ringed(lines), range, by: axis.by, bend, theme, flags, bands: this.#bands() };
  }

  /** A line is made anew only when points came. */
  #traced({ run, column: all, closer }: Member, index: number, range: Range): Traced {
    const known = this.#traces[index];
    const near = closer && closer.range[0] <= range[0] && range[1] <= closer.range[1];
    const column = near ? closer.column : all;
    if (known?.of === column && known.count === column.count) return known;
    const { axis, bend, smooth: how, weight } = this.setting;
    const raw = trace(column, axis.placeOf(run), bend);
    const curve = how === "none" || weight === 0 ? raw : { x: raw.x, y: smooth(raw, how, weight, column.count) };
    const made = { trace: raw, curve, of: column, count: column.count };
    this.#traces[index] = made;
    return made;
  }

  /** The lines with a ring around the best point of each; where there are many, around the best of all. */
  #ringed(lines: Line[]): Line[] {
    const { members } = this.group;
    const goals = members.map(({ run, metric }) => this.setting.runs.get(run)?.goals[metric] ?? "none");
    const bests = lines.map((line, i) => (line.shown ? bestOf(line.raw ?? line.curve, goals[i] ?? "none") : null));
    if (lines.length <= RINGED) return lines.map((line, i) => ({ ...line, best: bests[i] ?? null }));
    const sign = goals[0] === "max" ? -1 : 1;
    const least = Math.min(...bests.map((best) => (best ? sign * best.y : Number.POSITIVE_INFINITY)));
    return lines.map((line, i) => ({ ...line, best: bests[i] && sign * bests[i].y === least ? bests[i] : null }));
  }

  /** Hands on the point of this line that stands at `x`. */
  #pick(line: number, x: number): void {
    const member = this.group.members[line];
    const curve = this.#traces[line]?.trace;
    if (!member || !curve) return;
    const index = nearest(curve, x, Number.POSITIVE_INFINITY);
    const { step, seconds } = (this.#traces[line]?.of ?? member.column).drawn();
    const found = this.setting.axis
      .placeOf(member.run)(step, seconds)
      .indexOf(curve.x[index] ?? Number.NaN);
    if (found < 0) return;
    const { run, metric } = member;
    this.events.pick(this, { run, metric, step: step[found] ?? 0, value: curve.y[index] ?? Number.NaN });
  }

  /** Of train, or the first that has one; they are known by step only. */
  #bands(): Band[] {
    const { bands, axis, hidden } = this.setting;
    if (axis.by !== "step") return [];
    const found = this.group.members.flatMap(({ key, metric }) => (hidden.has(key) ? [] : (bands.get(metric) ?? [])));
    return found.slice(0, 1);
  }

  /** How the line of the band stands among earlier runs. */
  #tellStanding(): void {
    const { runs, bands } = this.setting;
    const told = this.group.members.find(({ metric, run }) => bands.has(metric) && runs.get(run)?.earlier);
    const state = told && runs.get(told.run);
    this.#standing.hidden = !state;
    if (!state) return;
    say(this.#standing, standing(state.earlier, state.beaten[told.metric]));
  }

  #bears({ run, metric }: Mark): boolean {
    return this.group.members.some((one) => one.run === run && (metric === null || one.metric === metric));
  }

  /** Where a step stands on the axis. */
  #places({ run, step }: Mark): number[] {
    const column = this.group.members.find((member) => member.run === run)?.column;
    if (step === null || !column) return [];
    const drawn = column.drawn();
    const at = search(drawn.step, step);
    return this.setting.axis.placeOf(run)(
      [step],
      [drawn.seconds[Math.min(at, drawn.seconds.length - 1)] ?? Number.NaN],
    );
  }

  #tellNotes(): void {
    const told = this.setting.marks.filter((mark) => this.#bears(mark)).map(noted);
    if (this.#notes.dataset.told === told.join("\n")) return;
    this.#notes.dataset.told = told.join("\n");
    this.#notes.replaceChildren(...told.map((words) => element("li", {}, words)));
  }

  /** How far val is from train, where one run has both. */
  #tellGap(values: readonly (number | null)[], where: string): void {
    const train = this.#entries.findIndex(({ split }, i) => isTrain(this.group.members[i]?.split ?? split));
    const val = this.group.members.findIndex(({ split }) => isVal(split));
    const [from, to] = [values[train], values[val]];
    this.#gap.hidden = !this.#alone || train < 0 || val < 0;
    if (typeof from === "number" && typeof to === "number") {
      const gap = to - from;
      say(this.#gap, `val − train ${gap < 0 ? "−" : "+"}${formatReal(Math.abs(gap))}${where}`);
    } else if (where === "") say(this.#gap, "");
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
      goal: this.setting.runs.get(run)?.goals[metric] ?? "none",
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
    if (event.key === "n" && this.#plot.cursor !== null) {
      event.preventDefault();
      this.#pick(this.#plot.walked, this.#plot.cursor);
    }
  }
}
