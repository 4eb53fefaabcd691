import type { ChartOptions } from "../contract.ts";
import { widget } from "../kernel.ts";
import type { Source } from "../source.ts";
import { Card, type Setting } from "../ui/card.ts";
import { chartCss } from "../ui/chartstyle.ts";
import { Choice } from "../ui/choice.ts";
import { element, say } from "../ui/element.ts";
import { count } from "../ui/format.ts";
import { type Range, within } from "../ui/plot/plot.ts";
import type { Place } from "../ui/plot/trace.ts";
import { panelRoot } from "../ui/root.ts";
import { Runs } from "../ui/runs.ts";
import { SeriesSet } from "../ui/series.ts";
import { runColours, type Theme } from "../ui/theme.ts";

export const CHART: ChartOptions = { x: "step", y: "linear", hidden: [] };

/** Cards that are made without being asked for: a hundred plots at once help nobody and cost seconds. */
const FIRST = 12;

// ms after which a plot without room is tried again
const RETRY_MS = 250;

/** The live chart: small multiples that grow while the run logs. */
export function mount(el: HTMLElement, source: Source<ChartOptions>, signal: AbortSignal): void {
  const root = panelRoot(el, chartCss, "chart", signal);
  new Chart(root.el, source, signal, root.themed);
}

/** The same plots inside another panel, where what its run is stands above already. */
export function mountPlots(el: HTMLElement, source: Source<ChartOptions>, signal: AbortSignal): void {
  const root = panelRoot(el, `${chartCss} .runs, .title { display: none; }`, "plots", signal);
  new Chart(root.el, source, signal, root.themed);
}

class Chart {
  readonly #set = new SeriesSet();
  readonly #runs = new Runs();
  readonly #title = element("p", { class: "title" });
  readonly #grid = element("div", { class: "grid" });
  readonly #blank = element("div", { class: "blank tall" });
  readonly #foot = element("p", { class: "foot" });
  readonly #fault = element("p", { class: "ct-error", role: "alert" });
  readonly #more = element("button", { type: "button", class: "ct-button" });
  readonly #reset = element("button", { type: "button", class: "ct-button" }, "reset zoom");
  readonly #x = new Choice("x axis", ["step", "time"], (x) => this.#choose({ x }));
  readonly #y = new Choice("y axis", ["linear", "log", "symlog"], (y) => this.#choose({ y }));
  readonly #controls = element("div", { class: "controls" }, this.#reset, this.#x.el, this.#y.el);
  readonly #cards = new Map<string, Card>();
  readonly #seen: IntersectionObserver;
  #options: ChartOptions;
  #theme: Theme | undefined;
  #zoom: Range | null = null;
  #limit = FIRST;
  #shape = -1;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;

  constructor(
    root: HTMLElement,
    private readonly source: Source<ChartOptions>,
    signal: AbortSignal,
    themed: (hear: (theme: Theme) => void) => void,
  ) {
    this.#options = { ...CHART, ...source.options() };
    root.append(
      element("div", { class: "top" }, element("div", {}, this.#title, this.#runs.el), this.#controls),
      this.#fault,
      this.#blank,
      this.#grid,
      this.#foot,
      this.#more,
    );
    this.#more.addEventListener("click", () => {
      this.#limit = Number.POSITIVE_INFINITY;
      this.#relayout();
    });
    this.#reset.addEventListener("click", () => this.#zoomTo(null));

    this.#seen = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "200px" });
    const size = new ResizeObserver(() => this.#draw());
    size.observe(this.#grid);
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#retry);
      this.#seen.disconnect();
      size.disconnect();
      for (const card of this.#cards.values()) card.destroy();
    });

    themed((theme) => {
      this.#theme = theme;
      this.#restyle();
    });
    source.changed(() => this.#refresh(), signal);
    source.faults((sentence) => say(this.#fault, sentence), signal);
    source.follow((points, data) => {
      this.#set.take(points, data);
      this.#draw();
    }, signal);
    this.#refresh();
  }

  #refresh(): void {
    this.#set.meet(this.source.payload().runs ?? []);
    this.#draw();
  }

  #choose(change: Partial<ChartOptions>): void {
    if (change.x) this.#zoom = null;
    this.#options = { ...this.#options, ...change };
    this.source.keep(this.#options);
    this.#restyle();
  }

  #toggle(key: string): void {
    const hidden = new Set(this.#options.hidden);
    if (!hidden.delete(key)) hidden.add(key);
    this.#options = { ...this.#options, hidden: [...hidden] };
    this.source.keep(this.#options);
    for (const card of this.#cards.values()) card.toggle(hidden);
    this.#draw();
  }

  /** Shows a stretch of x in every plot, as far as there is something; all of it is no zoom. */
  #zoomTo(range: Range | null): void {
    const all = this.#set.extent(this.#options.x);
    this.#zoom = range && all ? within(range, all) : null;
    this.#draw();
  }

  #each(visit: (card: Card) => void): void {
    for (const card of this.#cards.values()) if (card.visible) visit(card);
  }

  #setting(theme: Theme): Setting {
    const { x, y, hidden } = this.#options;
    const runs = this.#set.runs;
    const place: Place = x === "step" ? (step) => [...step] : (_, seconds) => [...seconds];
    return { theme, x, place, bend: y, hidden: new Set(hidden), runs, colours: runColours([...runs.keys()]) };
  }

  #restyle(): void {
    if (!this.#theme) return;
    const setting = this.#setting(this.#theme);
    for (const card of this.#cards.values()) card.apply(setting);
    this.#runs.paint(setting.theme, setting.colours);
    this.#draw();
  }

  /** Everything seen changes in the next frame, once, however many messages came. */
  #draw(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint(): void {
    this.#frame = 0;
    const states = [...this.#set.runs.values()];
    if (this.#shape !== this.#set.shape) this.#relayout();
    this.#runs.show(states);
    const { title, omitted, hints } = this.source.payload();
    const head = [...(states.length === 1 ? [] : [title]), ...hints].filter(Boolean).join(" · ");
    say(this.#title, head);
    this.#title.hidden = head === "";
    this.#x.show(this.#options.x);
    this.#y.show(this.#options.y);
    this.#reset.hidden = this.#zoom === null;
    say(this.#foot, omitted > 0 ? `and ${omitted} more series in the trail` : "");
    this.#foot.hidden = omitted === 0;
    const range = this.#zoom ?? this.#set.extent(this.#options.x);
    this.#say(range !== undefined);
    if (!range) return;
    const seen = [...this.#cards.values()].filter((card) => card.visible);
    if (seen.map((card) => card.draw(range)).includes(false)) this.#again();
  }

  /**
   * While a theme is switched the output has no width for a moment, and no observer tells when it has one
   * again, since it is the width it had before.
   */
  #again(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#draw(), RETRY_MS);
  }

  /** Makes the cards that are missing; those whose lines changed are made anew. */
  #relayout(): void {
    if (!this.#theme) return;
    this.#shape = this.#set.shape;
    const setting = this.#setting(this.#theme);
    for (const card of this.#cards.values()) card.destroy();
    this.#cards.clear();
    this.#seen.disconnect();
    for (const group of this.#set.groups.slice(0, this.#limit)) {
      const card = new Card(group, setting, {
        toggle: (key) => this.#toggle(key),
        point: (x) => this.#each((one) => one.point(x)),
        brush: (range) => this.#each((one) => one.brush(range)),
        zoom: (range) => this.#zoomTo(range),
      });
      this.#cards.set(group.name, card);
      this.#grid.append(card.el);
      this.#seen.observe(card.el);
    }
    const left = this.#set.groups.length - this.#cards.size;
    this.#more.hidden = left <= 0;
    say(this.#more, `show ${count(left, "more plot")}`);
    this.#runs.show([...this.#set.runs.values()]);
    this.#runs.paint(setting.theme, setting.colours);
    this.#draw();
  }

  #look(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) {
      const card = [...this.#cards.values()].find((one) => one.el === entry.target);
      if (card) card.visible = entry.isIntersecting;
    }
    this.#draw();
  }

  /** Where there is nothing to draw, a sentence in the place where the plots will be. */
  #say(some: boolean): void {
    const states = [...this.#set.runs.values()];
    const running = states.some((state) => state.status === "running");
    this.#blank.hidden = some;
    this.#controls.hidden = !some;
    this.#grid.hidden = !some;
    this.#blank.classList.toggle("tall", running && this.source.kind === "kernel");
    if (some) return;
    say(this.#blank, this.#nothing(states.length, running));
  }

  #nothing(runs: number, running: boolean): string {
    if (runs === 0) return "no run yet";
    if (!running) return "no metric was logged";
    return this.source.kind === "kernel" ? "waiting for the first point" : "no point had come when this was saved";
  }
}

export default widget(mount);
