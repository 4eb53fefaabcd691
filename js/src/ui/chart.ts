import type { ChartOptions, Flag, Grouping, Mark, RunState } from "../contract.ts";
import { decodeBands } from "../saved.ts";
import type { Source } from "../source.ts";
import { type Axis, AxisChoice, axisOf } from "./axis.ts";
import { Blank } from "./blank.ts";
import { Board } from "./board.ts";
import type { Card, Setting } from "./card.ts";
import { Choice } from "./choice.ts";
import { Closer } from "./closer.ts";
import { element, say, tell } from "./element.ts";
import { GroupChoice, poolsOf } from "./grouping.ts";
import { noted } from "./lines.ts";
import { type Offer, openMenu } from "./menu.ts";
import { openNote } from "./noting.ts";
import type { Pictured } from "./plot/picture.ts";
import { type Range, within } from "./plot/plot.ts";
import { Runs } from "./runs.ts";
import { SeriesSet } from "./series.ts";
import { Smoother } from "./smoother.ts";
import { flipped } from "./table/options.ts";
import { takings } from "./takings.ts";
import { runColours, type Theme } from "./theme.ts";

/** What stands below the runs and acts on those that go on. */
export interface Steering {
  el: HTMLElement;
  show(states: readonly RunState[]): void;
}

export const CHART: ChartOptions = {
  x: "step",
  y: "linear",
  hidden: [],
  smooth: "none",
  weight: 0.9,
  folded: [],
  group: "",
  spread: "interval",
};

const RETRY_MS = 250; // after which a plot without room is tried again
const REST = 4; // times as long as news took to be shown the next wait: a page with a thousand lines must not stand still

/** Small multiples of everything that is told, with their controls. */
export class Chart {
  readonly #set = new SeriesSet();
  readonly #runs = new Runs();
  readonly #title = element("p", { class: "title" });
  readonly #blank = new Blank();
  /** Alerts that are about no metric. */
  readonly #alerts = element("ul", { class: "alerts", "aria-label": "alerts" });
  readonly #foot = element("p", { class: "foot" });
  readonly #fault = element("p", { class: "ct-error", role: "alert" });
  readonly #reset = element("button", { type: "button", class: "ct-button" }, "reset zoom");
  readonly #x = new AxisChoice((x) => this.#choose({ x }));
  readonly #y = new Choice("y axis", ["linear", "log", "symlog"], (y) => this.#choose({ y }));
  readonly #group = new GroupChoice((change) => this.#regroup(change));
  readonly #smooth = new Smoother((change) => this.#choose(change));
  readonly #export = element("button", { type: "button", class: "ct-button", "aria-haspopup": "menu" }, "export");
  readonly #board = new Board({
    toggle: (key) => this.#toggle(key),
    point: (x) => this.#each((card) => card.point(x)),
    brush: (range) => this.#each((card) => card.brush(range)),
    zoom: (range) => this.#zoomTo(range),
    fold: (prefix, folded) => this.#fold(prefix, folded),
    draw: () => {
      if (this.#zoom) this.#look();
      this.#draw();
    },
    pick: (card, picked) => openNote(card, picked, this.source, (marks) => this.#mark(marks), this.signal),
  });
  readonly #closer: Closer;
  #marks: readonly Mark[] = [];
  #flags: readonly Flag[] = [];
  #groupings: readonly Grouping[] = [];
  #pools: Setting["pools"] = null;
  #bands: Setting["bands"] = new Map();
  readonly #caption = element("div");
  readonly #steering: Steering | undefined;
  readonly #controls = element("div", { class: "controls" });
  #options: ChartOptions;
  #theme: Theme | undefined;
  #zoom: Range | null = null;
  #shape = -1;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  /** What was told is not shown yet: the runs and what is said of them, or points alone. */
  #news: "none" | "points" | "runs" = "none";

  constructor(
    root: HTMLElement,
    private readonly source: Source<ChartOptions>,
    private readonly signal: AbortSignal,
    themed: (hear: (theme: Theme) => void) => void,
    steering?: (noted: (marks: readonly Mark[]) => void) => Steering,
  ) {
    this.#options = { ...CHART, ...source.options() };
    this.#closer = new Closer(source, this.#set, () => this.#draw());
    this.#steering = steering?.((marks) => this.#mark(marks));
    this.#caption.append(this.#title, this.#runs.el, ...(this.#steering ? [this.#steering.el] : []));
    this.#controls.append(
      this.#reset,
      this.#board.search,
      this.#group.el,
      this.#smooth.el,
      this.#x.el,
      this.#y.el,
      this.#export,
    );
    root.append(
      element("div", { class: "top" }, this.#caption, this.#controls),
      this.#fault,
      this.#alerts,
      this.#blank.el,
      this.#board.el,
      this.#foot,
    );
    this.#reset.addEventListener("click", () => this.#zoomTo(null));
    this.#export.addEventListener("click", () => openMenu(this.#export, "export", this.#offers(), signal));

    const size = new ResizeObserver(() => this.#draw());
    size.observe(this.#board.grid);
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#retry);
      clearTimeout(this.#rest);
      size.disconnect();
      this.#closer.stop();
      this.#board.destroy();
    });

    themed((theme) => {
      this.#theme = theme;
      this.#restyle();
    });
    source.changed(() => this.#hear("runs"), signal);
    source.faults((sentence) => say(this.#fault, sentence), signal);
    source.follow((points, data) => {
      this.#set.take(points, data);
      this.#hear("points");
    }, signal);
    this.#refresh();
  }

  /** However many messages come, they are shown together, and the page is free for most of the time. */
  #hear(news: "points" | "runs"): void {
    if (this.#news !== "runs") this.#news = news;
    if (news === "runs") this.#set.meet(this.source.payload().runs ?? []);
    if (this.#rest === undefined) this.#draw();
  }

  #refresh(): void {
    const { runs, marks, flags, bands, groupings } = this.source.payload();
    this.#flags = flags ?? [];
    this.#groupings = groupings ?? [];
    this.#pool();
    this.#bands = decodeBands(bands ?? []);
    this.#marks = marks ?? [];
    this.#set.meet(runs ?? []);
    this.#restyle();
  }

  /** Which runs are one line; the same object while nothing of it changes, by which a card knows. */
  #pool(): void {
    const pools = poolsOf(this.#options.group, this.#groupings);
    if (JSON.stringify([...(pools ?? [])]) === JSON.stringify([...(this.#pools ?? [])])) return;
    this.#pools = pools;
    this.#shape = -1;
  }

  #regroup(change: Partial<ChartOptions>): void {
    this.#keep(change);
    this.#pool();
    this.#restyle();
  }

  #mark(marks: readonly Mark[]): void {
    this.#marks = marks;
    this.#restyle();
  }

  #keep(change: Partial<ChartOptions>): void {
    this.#options = { ...this.#options, ...change };
    this.source.keep(this.#options);
  }

  #choose(change: Partial<ChartOptions>): void {
    this.#keep(change);
    if (change.x) {
      this.#shape = -1;
      this.#zoomTo(null);
    }
    this.#restyle();
  }

  #toggle(key: string): void {
    const hidden = flipped(this.#options.hidden, key);
    this.#keep({ hidden });
    this.#board.toggle(new Set(hidden));
    this.#draw();
  }

  #fold(prefix: string, folded: boolean): void {
    if (this.#options.folded.includes(prefix) !== folded) {
      this.#keep({ folded: flipped(this.#options.folded, prefix) });
    }
  }

  /** Shows a stretch of x in every plot, as far as there is something; all of it is no zoom. */
  #zoomTo(range: Range | null): void {
    const all = this.#axis.extent();
    this.#zoom = range && all ? within(range, all) : null;
    this.#look();
    this.#draw();
  }

  /** More points of what is zoomed into, in the plots that are on screen. */
  #look(): void {
    this.#closer.look(this.#zoom, this.#axis.name, () => this.#board.visible.flatMap((card) => card.members));
  }

  #each(visit: (card: Card) => void): void {
    for (const card of this.#board.visible) visit(card);
  }

  get #axis(): Axis {
    return axisOf(this.#options.x, this.#set);
  }

  /** The stretch of x that is shown; nothing as long as there is none. */
  get #range(): Range | undefined {
    return this.#zoom ?? this.#axis.extent();
  }

  #setting(theme: Theme): Setting {
    const { y, hidden, smooth, weight, folded, spread } = this.#options;
    const runs = this.#set.runs;
    const pools = this.#pools;
    const colours = runColours(pools ? [...new Set(pools.values())] : [...runs.keys()]);
    if (pools) for (const [run, label] of pools) colours.set(run, colours.get(label) ?? 0);
    const shared = {
      theme,
      axis: this.#axis,
      clock: axisOf("relative", this.#set),
      bend: y,
      smooth,
      weight,
      runs,
      colours,
      marks: this.#marks,
      flags: this.#flags,
      bands: this.#bands,
      pools,
      spread,
    };
    return { ...shared, hidden: new Set(hidden), folded: new Set(folded) };
  }

  #restyle(): void {
    const setting = this.#theme && this.#setting(this.#theme);
    if (!setting) return;
    this.#board.apply(setting);
    this.#runs.paint(setting.theme, setting.colours);
    this.#draw();
  }

  /** Everything seen changes in the next frame, once, however many messages came. */
  #draw(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    const began = performance.now();
    const news = this.#news;
    this.#news = "none";
    if (news === "runs") this.#refresh();
    this.#show();
    if (news !== "none") this.#pause(REST * (performance.now() - began));
  }

  #pause(ms: number): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      if (this.#news !== "none") this.#draw();
    }, ms);
  }

  #show(): void {
    if (this.#theme && this.#shape !== this.#set.shape) this.#relayout(this.#setting(this.#theme));
    this.#frame = 0;
    const states = [...this.#set.runs.values()];
    this.#runs.show(states);
    this.#steering?.show(states);
    const { title, omitted, hints } = this.source.payload();
    const head = [...(states.length === 1 ? [] : [title]), ...hints].filter(Boolean).join(" · ");
    tell(this.#title, head);
    this.#x.show(this.#options.x, this.#set);
    this.#y.show(this.#options.y);
    this.#smooth.show(this.#options);
    this.#group.show(this.#options, this.#groupings);
    this.#reset.hidden = this.#zoom === null;
    tell(this.#foot, omitted > 0 ? `and ${omitted} more series in the trail` : "");
    const about = this.#flags.filter(({ metric }) => metric === null).map(noted);
    if (this.#alerts.textContent !== about.join(""))
      this.#alerts.replaceChildren(...about.map((words) => element("li", {}, words)));
    const range = this.#range;
    this.#say(range !== undefined);
    if (!range) return;
    if (this.#board.visible.map((card) => card.draw(range)).includes(false)) this.#again();
  }

  /**
   * While a theme is switched the output has no width for a moment, and no observer tells when it has one
   * again, since it is the width it had before.
   */
  #again(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#draw(), RETRY_MS);
  }

  #relayout(setting: Setting): void {
    this.#shape = this.#set.shape;
    this.#board.lay(this.#set.plots(setting.axis.name), setting);
    this.#runs.show([...this.#set.runs.values()]);
    this.#runs.paint(setting.theme, setting.colours);
  }

  #offers(): Offer[] {
    return takings(
      {
        title: this.source.payload().title,
        rows: () => this.#set.rows(),
        plots: () => this.#pictured(),
        theme: this.#theme,
      },
      (sentence) => say(this.#fault, sentence),
    );
  }

  #pictured(): Pictured[] {
    const range = this.#range;
    return range ? this.#board.found.map((card) => card.pictured(range)) : [];
  }

  #say(some: boolean): void {
    this.#blank.show([...this.#set.runs.values()], some, this.source.kind === "kernel");
    this.#controls.hidden = !some;
    this.#board.el.hidden = !some;
  }
}
