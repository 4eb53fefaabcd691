import type { RunState } from "../contract.ts";
import { element, say } from "./element.ts";
import { formatDuration, formatReal } from "./format.ts";
import { join, type X } from "./join.ts";
import { type Entry, type Facts, Legend } from "./legend.ts";
import { Plot } from "./plot.ts";
import type { Group, Member } from "./series.ts";
import { DASHES, type Theme } from "./theme.ts";

/** What all cards of a chart share. */
export interface Setting {
  theme: Theme;
  x: X;
  log: boolean;
  hidden: ReadonlySet<string>;
  colours: ReadonlyMap<string, number>;
  runs: ReadonlyMap<string, RunState>;
}

export interface CardEvents {
  toggle(key: string): void;
  zoom(range: [number, number] | null): void;
}

const SPLITS = ["train", "val", "test"];
export const PLOT_HEIGHT = 172;

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
  #speaking = false;

  constructor(
    private readonly group: Group,
    private setting: Setting,
    sync: string,
    events: CardEvents,
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
      "aria-label": `${group.name}: arrow keys read the values, plus zooms out`,
    });
    this.el = element("div", { class: "card", role: "figure" }, element("h3", {}, group.name));
    this.el.append(this.#stage, this.#legend.el, this.#spoken);
    this.#plot = new Plot(
      this.#stage,
      sync,
      { cursor: (x, values) => this.#point(x, values), zoom: events.zoom },
      this.#look(),
      PLOT_HEIGHT,
    );
    this.#stage.addEventListener("keydown", (event) => this.#key(event, events));
    this.#stage.addEventListener("blur", () => this.#plot.leave());
    this.apply(setting);
  }

  /** New colours or another axis: the plot is made anew, the rest changes in place. */
  apply(setting: Setting): void {
    this.setting = setting;
    this.#plot.restyle(this.#look());
    this.#legend.paint(setting.theme, this.#entries);
    this.#legend.shown(setting.hidden);
  }

  toggle(hidden: ReadonlySet<string>): void {
    this.setting = { ...this.setting, hidden };
    this.#legend.shown(hidden);
    this.#plot.focus(null);
    this.#entries.forEach((one, i) => {
      this.#plot.show(i, !hidden.has(one.key));
    });
  }

  draw(range: [number, number]): boolean {
    const { members, name } = this.group;
    const { x, log } = this.setting;
    const columns = members.map((member) => member.column);
    const joined = join(columns, x, log);
    const drawn = this.#plot.draw(joined, range, this.#stage.clientWidth);
    const facts = members.map((member, i) => this.#facts(member, joined.unshown[i] ?? 0));
    this.#legend.facts(facts);
    const first = facts[0];
    const last = first?.last === null || first === undefined ? "no value yet" : `last ${spell(first.last)}`;
    const sentence = `${name}, ${members.length === 1 ? "1 series" : `${members.length} series`}, ${last}`;
    if (this.el.getAttribute("aria-label") !== sentence) this.el.setAttribute("aria-label", sentence);
    return drawn;
  }

  destroy(): void {
    this.#plot.destroy();
    this.el.remove();
  }

  #isShown(row: number): boolean {
    return !this.setting.hidden.has(this.#entries[row]?.key ?? "");
  }

  #look(): ConstructorParameters<typeof Plot>[3] {
    const { theme, x, log, hidden } = this.setting;
    const lines = this.#entries.map(({ colour, dash, key }) => ({ colour, dash, shown: !hidden.has(key) }));
    return { lines, theme, x, log };
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

  #point(x: number | null, values: (number | null)[]): void {
    const place = x === null ? null : this.setting.x === "step" ? `step ${formatReal(x)}` : formatDuration(x);
    this.#legend.cursor(place, values);
    if (!this.#speaking || place === null) return;
    const told = this.#entries.flatMap((one, i) => {
      const value = values[i];
      return typeof value === "number" ? [`${one.name} ${one.split} ${formatReal(value)}`.trim()] : [];
    });
    say(this.#spoken, `${place}: ${told.slice(0, 4).join(", ")}`);
  }

  #key(event: KeyboardEvent, events: CardEvents): void {
    const far = event.shiftKey ? 10 : 1;
    const steps: Record<string, number> = { ArrowLeft: -far, ArrowRight: far, Home: -Infinity, End: Infinity };
    const by = steps[event.key];
    if (by !== undefined) {
      event.preventDefault();
      this.#speaking = true;
      this.#plot.walk(by);
      this.#speaking = false;
    }
    if (event.key === "+" || event.key === "0") events.zoom(null);
    if (event.key === "Escape") this.#plot.leave();
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
