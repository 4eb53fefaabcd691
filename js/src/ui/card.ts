import type { ChartOptions, Flag, Mark, RunState } from "../contract.ts";
import type { Axis } from "./axis.ts";
import { element, say } from "./element.ts";
import { factsOf, goalOf } from "./facts.ts";
import { count, formatBytes, formatReal } from "./format.ts";
import { Legend } from "./legend.ts";
import { bestOf, noted, shortName, spell, standing } from "./lines.ts";
import { isBytes, isTrain, isVal } from "./names.ts";
import type { Pictured } from "./plot/picture.ts";
import { Plot, type PlotEvents, type Range } from "./plot/plot.ts";
import type { Bend } from "./plot/scale.ts";
import type { Band, Line, Scene } from "./plot/scene.ts";
import type { Smoothing } from "./plot/smooth.ts";
import { nearest, search } from "./plot/trace.ts";
import type { Group, Member } from "./series.ts";
import { type Strand, strands, Traces } from "./strands.ts";
import { paint, type Theme } from "./theme.ts";

/** What all cards of a chart share. */
export interface Setting {
  theme: Theme;
  axis: Axis;
  /** The time since the start: what the machine did stands over it, whatever the others stand over. */
  clock: Axis;
  bend: Bend;
  smooth: Smoothing;
  weight: number;
  folded: ReadonlySet<string>;
  /** Notes on points of all plots. */
  marks: readonly Mark[];
  /** Alerts of all runs. */
  flags: readonly Flag[];
  /** Where earlier runs stood, by metric. */
  bands: ReadonlyMap<string, Band>;
  hidden: ReadonlySet<string>;
  colours: ReadonlyMap<string, number>;
  runs: ReadonlyMap<string, RunState>;
  /** The group of each run, where those of a group are one line. */
  pools: ReadonlyMap<string, string> | null;
  spread: ChartOptions["spread"];
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
const MACHINE = "sys";
const ZOOM = 0.5; // of the window is left by one key
const PAN = 0.25; // of the window is moved by one key
const TOLD = 5; // alerts that stand in words below a plot, the newest
const RINGED = 4; // lines up to which each shows its best point
const SHORT = 0.25; // of all of x: lines that end before it would stand squeezed in the corner

/** One plot with its name above and its legend below. */
export class Card {
  readonly el: HTMLElement;
  /** Off screen it is not drawn; the first draw comes when it scrolls into view. */
  visible = true;
  readonly #legend: Legend;
  readonly #plot: Plot;
  readonly #stage: HTMLElement;
  readonly #spoken = element("div", { class: "ct-unseen", "aria-live": "polite" });
  readonly #ends = element("span", { class: "ct-muted" });
  readonly #strands: Strand[];
  readonly #gap = element("p", { class: "gap" });
  readonly #notes = element("ul", { class: "notes" });
  readonly #standing = element("p", { class: "gap" });
  readonly #alone: boolean;
  readonly #pools: Setting["pools"];
  readonly #traces = new Traces();
  #range: readonly [number, number] = [0, 1];
  #speaking = false;

  private setting: Setting;

  constructor(
    private readonly group: Group,
    setting: Setting,
    private readonly events: CardEvents,
  ) {
    this.setting = this.#own(setting);
    this.#strands = strands(group, setting);
    this.#pools = setting.pools;
    this.#alone = setting.runs.size <= 1;
    this.#legend = new Legend(group.name, this.#strands, {
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
    const head = element("h3", { title: group.name }, shortName(group), this.#ends);
    this.el = element("div", { class: "card", role: "figure" }, head);
    this.el.append(this.#stage, this.#legend.el, this.#gap, this.#standing, this.#notes, this.#spoken);
    this.#plot = new Plot(
      {
        point: (x) => (this.#isApart ? this.#point(x) : events.point(x)),
        brush: (range) => this.#isApart || events.brush(range),
        zoom: (range) => this.#isApart || events.zoom(range),
        click: (line, x) => this.#pick(line, x),
      },
      PLOT_HEIGHT,
    );
    this.#stage.append(this.#plot.el);
    this.#stage.addEventListener("keydown", (event) => this.#key(event));
    this.#stage.addEventListener("blur", () => events.point(null));
    this.apply(setting);
  }

  /** New colours or another axis: what was drawn is made anew. */
  apply(setting: Setting): void {
    this.setting = this.#own(setting);
    this.#traces.forget();
    if (!this.visible) this.#plot.clear(); // else it would come into view in the old colours
    this.#legend.paint(setting.theme, this.#strands);
    this.#legend.shown(setting.hidden);
  }

  /** Whether this card can go on showing the group, or must be made anew. */
  shows(group: Group, setting: Setting): boolean {
    this.setting = this.#own(setting);
    const members = this.#strands.reduce((sum, strand) => sum + strand.members.length, 0);
    const same = setting.runs.size <= 1 === this.#alone && setting.pools === this.#pools;
    return same && group.members.length === members;
  }

  /** The plot as a picture of this window. */
  pictured(range: Range): Pictured {
    const shown = this.#span(range);
    const { lines, ...rest } = this.#scene(shown);
    const labels = this.#strands.map(({ name, split }) => `${name} ${split}`.trim());
    return {
      title: this.group.name + this.#told(shown, range),
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
    const shown = this.#span(range);
    this.#range = shown;
    say(this.#ends, this.#told(shown, range));
    const single = this.#isSingle;
    this.el.classList.toggle("single", single); // its table tells all there is
    this.#legend.single(single);
    const drawn = this.#plot.show(this.#scene(shown), this.#stage.clientWidth) || single;
    const { name } = this.group;
    const facts = this.#strands.map((strand, i) => factsOf(strand, this.#traces.at(i)?.trace, this.setting));
    this.#legend.facts(facts);
    this.#tellNotes();
    this.#tellStanding();
    this.#tellGap(
      facts.map(({ last }) => (typeof last === "number" ? last : null)),
      "",
    );
    const first = facts[0];
    const last = first?.last === null || first === undefined ? "no value yet" : `last ${spell(first.last)}`;
    const sentence = `${name}, ${count(facts.length, "line")}, ${last}`;
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
    if (!this.#isApart) this.#point(x);
  }

  #point(x: number | null): void {
    const found = this.#plot.point(x);
    const values = found.map((index, i) => this.#traces.at(i)?.curve.y[index] ?? null);
    const place = x === null ? null : this.setting.axis.spell(x);
    this.#legend.cursor(place, values);
    if (place) this.#tellGap(values, ` at ${place}`);
    if (!this.#speaking || place === null) return;
    const told = this.#strands.flatMap((one, i) => {
      const value = values[i];
      return typeof value === "number" ? [`${one.name} ${one.split} ${formatReal(value)}`.trim()] : [];
    });
    say(this.#spoken, `${place}: ${told.slice(0, 4).join(", ")}`);
  }

  brush(range: Range | null): void {
    if (!this.#isApart) this.#plot.brush(range);
  }

  destroy(): void {
    this.#plot.destroy();
    this.el.remove();
  }

  /** Whether there is no more than one value of each run and none will come: no line, then, and no plot. */
  get #isSingle(): boolean {
    const { runs } = this.setting;
    return this.group.members.every(
      ({ run, column }) => column.count <= 1 && (runs.get(run)?.status ?? "running") !== "running",
    );
  }

  /** Whether it stands over another axis than the others, so that places of theirs are none of its own. */
  get #isApart(): boolean {
    return this.setting.axis === this.setting.clock;
  }

  #own(setting: Setting): Setting {
    const { by } = setting.axis;
    return this.group.prefix !== MACHINE || by === "relative" || by === "time"
      ? setting
      : { ...setting, axis: setting.clock };
  }

  /**
   * The stretch of x that is drawn: that of all plots, but of its own lines where these end so early that they would
   * stand in the corner. A zoom counts wherever it shows some of them.
   */
  #span(range: Range): Range {
    const { axis } = this.setting;
    const all = axis.extent() ?? range;
    if (this.#isApart) return all;
    const own = axis.extent(this.members) ?? all;
    const width = all[1] - all[0];
    const end = Math.min(all[0] + SHORT * width, range[1] - range[0] < width ? range[0] : all[1]);
    return own[1] < end && this.members.some(({ column }) => column.count > 1) ? own : range;
  }

  /** What stands behind the name where the stretch of x is its own. */
  #told(shown: Range, range: Range): string {
    return shown === range || this.#isApart ? "" : ` · own x axis, to ${this.setting.axis.spell(shown[1])}`;
  }

  #isShown(row: number): boolean {
    return !this.setting.hidden.has(this.#strands[row]?.key ?? "");
  }

  #scene(range: Range): Scene {
    const { theme, axis, bend, hidden } = this.setting;
    const lines = this.#strands.map((strand, i) => {
      const { key, colour, dash } = strand;
      const { trace, curve, spread } = this.#traces.of(strand, i, range, this.setting);
      const raw = curve === trace ? null : trace;
      return {
        curve,
        raw,
        best: null,
        colour: paint(theme, colour),
        dash,
        shown: !hidden.has(key),
        marks: trace.marks,
        spread,
      };
    });
    const flags = [
      ...this.setting.marks.map((mark) => ({ mark, level: "note" as const })),
      ...this.setting.flags.map((mark) => ({ mark, level: mark.level })),
    ].flatMap(({ mark, level }) => (this.#bears(mark) ? this.#places(mark).map((x) => ({ x, level })) : []));
    return {
      lines: this.#ringed(lines),
      range,
      by: axis.by,
      tick: isBytes(this.group.name) ? formatBytes : null,
      bend,
      theme,
      flags,
      bands: this.#bands(),
    };
  }

  /** The lines with a ring around the best point of each; where there are many, around the best of all. */
  #ringed(lines: Line[]): Line[] {
    const goals = this.#strands.map((strand) => goalOf(strand, this.setting));
    const bests = lines.map((line, i) => (line.shown ? bestOf(line.raw ?? line.curve, goals[i] ?? "none") : null));
    if (lines.length <= RINGED) return lines.map((line, i) => ({ ...line, best: bests[i] ?? null }));
    const sign = goals[0] === "max" ? -1 : 1;
    const least = Math.min(...bests.map((best) => (best ? sign * best.y : Number.POSITIVE_INFINITY)));
    return lines.map((line, i) => ({ ...line, best: bests[i] && sign * bests[i].y === least ? bests[i] : null }));
  }

  /** Hands on the point of this line that stands at `x`. */
  #pick(line: number, x: number): void {
    const [member, ...others] = this.#strands[line]?.members ?? [];
    const curve = this.#traces.at(line)?.trace;
    if (!member || others.length > 0 || !curve) return;
    const index = nearest(curve, x, Number.POSITIVE_INFINITY);
    const { step, seconds } = (member.closer?.column ?? member.column).drawn();
    const found = this.setting.axis
      .placeOf(member.run)(step, seconds)
      .indexOf(curve.x[index] ?? Number.NaN);
    if (found < 0) return;
    const { run, metric } = member;
    this.events.pick(this, { run, metric, step: step[found] ?? 0, value: curve.y[index] ?? Number.NaN });
  }

  /** The series in the order of the legend: train before val. */
  get #ranked(): Member[] {
    return this.#strands.flatMap(({ members }) => [...members]);
  }

  /** Of train, or the first that has one; they are known by step only. */
  #bands(): Band[] {
    const { bands, axis, hidden } = this.setting;
    if (axis.by !== "step") return [];
    const found = this.#ranked.flatMap(({ key, metric }) => (hidden.has(key) ? [] : (bands.get(metric) ?? [])));
    return found.slice(0, 1);
  }

  /** How the line of the band stands among earlier runs. */
  #tellStanding(): void {
    const { runs, bands } = this.setting;
    const told = this.#ranked.find(({ metric, run }) => bands.has(metric) && runs.get(run)?.earlier);
    const state = told && runs.get(told.run);
    this.#standing.hidden = !state;
    if (!state) return;
    const alone = this.group.members.every(({ run }) => run === told.run);
    say(this.#standing, standing(state.earlier, alone ? state.beaten[told.metric] : undefined));
  }

  #bears({ run, metric }: Mark | Flag): boolean {
    return this.group.members.some((one) => one.run === run && (metric === null || one.metric === metric));
  }

  /** Where a step stands on the axis. */
  #places({ run, step }: Mark | Flag): number[] {
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
    const { marks, flags } = this.setting;
    const alerts = flags.filter((flag) => flag.metric !== null && this.#bears(flag)).map(noted);
    const told = [...marks.filter((mark) => this.#bears(mark)).map(noted), ...alerts.slice(-TOLD)];
    if (this.#notes.dataset.told === told.join("\n")) return;
    this.#notes.dataset.told = told.join("\n");
    this.#notes.replaceChildren(...told.map((words) => element("li", {}, words)));
  }

  /** How far val is from train, where one run has both. */
  #tellGap(values: readonly (number | null)[], where: string): void {
    const train = this.#strands.findIndex(({ members }) => isTrain(members[0]?.split ?? ""));
    const val = this.#strands.findIndex(({ members }) => isVal(members[0]?.split ?? ""));
    const [from, to] = [values[train], values[val]];
    this.#gap.hidden = !this.#alone || train < 0 || val < 0;
    if (typeof from === "number" && typeof to === "number") {
      const gap = to - from;
      say(this.#gap, `val − train ${gap < 0 ? "−" : "+"}${formatReal(Math.abs(gap))}${where}`);
    } else if (where === "") say(this.#gap, "");
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
    if (this.#isApart && /^[-+=[\]0]$/.test(event.key)) return;
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
