import type { Goal } from "../contract.ts";
import { element, say, shape } from "./element.ts";
import { formatBytes, formatReal, NOTHING } from "./format.ts";
import { isBytes } from "./names.ts";
import { paint, type Theme } from "./theme.ts";

/** How one line is called and drawn. */
export interface Entry {
  key: string;
  name: string;
  split: string;
  colour: number;
  dash: readonly number[];
}

/** What a row tells about its line. */
export interface Facts {
  last: number | string | null;
  min: number | null;
  max: number | null;
  nan: number;
  inf: number;
  unshown: number;
  /** The direction it is better in. */
  goal: Goal;
}

export interface LegendEvents {
  toggle(key: string): void;
  /** The row under the pointer or the keyboard, to be brightened. */
  point(row: number | null): void;
}

interface Row {
  tr: HTMLTableRowElement;
  button: HTMLButtonElement;
  swatch: SVGElement;
  note: HTMLElement;
  last: HTMLElement;
  min: HTMLElement;
  max: HTMLElement;
  cursor: HTMLElement;
}

/** The values of a plot as a table: its legend, and what is read where a canvas cannot be. */
export class Legend {
  readonly el: HTMLElement;
  readonly #head: HTMLElement;
  readonly #last = element("th", { scope: "col", class: "ct-number last" }, "last");
  readonly #rows: Row[];

  constructor(
    private readonly title: string,
    entries: readonly Entry[],
    events: LegendEvents,
  ) {
    this.#head = element("th", { scope: "col", class: "ct-number at" });
    const heads = ["min", "max"].map((word) => element("th", { scope: "col", class: `ct-number ${word}` }, word));
    const several = new Set(entries.map((entry) => entry.name)).size > 1;
    const shared = several ? commonSplit(entries) : "";
    const over = shared
      ? element("span", { class: "split" }, shared)
      : element("span", { class: "ct-unseen" }, "series");
    const first = element("th", { scope: "col" }, over);
    this.#rows = entries.map((entry, i) => row(shared ? { ...entry, split: "" } : entry, i, events));
    const table = element(
      "table",
      { "aria-label": `values of ${title}` },
      element("thead", {}, element("tr", {}, first, this.#last, ...heads, this.#head)),
      element("tbody", {}, ...this.#rows.map((one) => one.tr)),
    );
    this.el = element("div", { class: several ? "legend several" : "legend" }, table);
    this.cursor(null, []);
  }

  facts(facts: readonly Facts[]): void {
    facts.forEach((fact, i) => {
      const row = this.#rows[i];
      if (!row) return;
      say(row.last, typeof fact.last === "string" ? fact.last : this.#said(fact.last));
      say(row.min, this.#said(fact.min));
      say(row.max, this.#said(fact.max));
      if (i === 0) this.el.dataset.goal = fact.goal;
      row.min.classList.toggle("best", fact.goal === "min" && fact.min !== null);
      row.max.classList.toggle("best", fact.goal === "max" && fact.max !== null);
      const notes: [number, string][] = [
        [fact.nan, "nan"],
        [fact.inf, "inf"],
        [fact.unshown, "≤ 0"],
      ];
      say(row.note, notes.flatMap(([n, word]) => (n > 0 ? [`${n} ${word}`] : [])).join(", "));
    });
  }

  #said(value: number | null): string {
    if (value === null || !Number.isFinite(value)) return NOTHING;
    return isBytes(this.title) ? formatBytes(value) : formatReal(value);
  }

  /** The column of values at the cursor; its place is kept while there is none. */
  cursor(at: string | null, values: readonly (number | null)[]): void {
    say(this.#head, at ?? "at cursor");
    this.el.classList.toggle("pointed", at !== null);
    this.#rows.forEach((row, i) => {
      say(row.cursor, at === null ? "" : this.#said(values[i] ?? null));
    });
  }

  /** With one value in each line that is all to be told of it. */
  single(single: boolean): void {
    say(this.#last, single ? "value" : "last");
  }

  shown(hidden: ReadonlySet<string>): void {
    for (const row of this.#rows) {
      const shown = !hidden.has(row.button.dataset.key ?? "");
      row.button.setAttribute("aria-pressed", String(shown));
      row.tr.classList.toggle("off", !shown);
    }
  }

  paint(theme: Theme, entries: readonly Entry[]): void {
    entries.forEach((entry, i) => {
      this.#rows[i]?.swatch.setAttribute("stroke", paint(theme, entry.colour));
    });
  }
}

/** The split that all lines are of, to be said once above them; "" where there is none. */
function commonSplit(entries: readonly Entry[]): string {
  const [first = "", ...others] = new Set(entries.map((entry) => entry.split));
  return others.length === 0 ? first : "";
}

function row(entry: Entry, index: number, events: LegendEvents): Row {
  const stroke = swatch(entry.dash);
  const note = element("span", { class: "note" });
  const label = element("span", { class: "name" }, entry.name);
  const split = entry.split && entry.name ? element("span", { class: "split" }, entry.split) : null;
  if (!entry.name) label.textContent = entry.split;
  const title = [entry.name, entry.split].filter(Boolean).join(" ");
  const button = element("button", { type: "button", "data-key": entry.key, title }, stroke, label, split, note);
  button.addEventListener("click", () => events.toggle(entry.key));
  button.addEventListener("focus", () => events.point(index));
  button.addEventListener("blur", () => events.point(null));
  const cell = (name: string): HTMLElement => element("td", { class: `ct-number ${name}` }, NOTHING);
  const cells = { last: cell("last"), min: cell("min"), max: cell("max"), cursor: cell("at") };
  const head = element("th", { scope: "row" }, button);
  const tr = element("tr", {}, head, cells.last, cells.min, cells.max, cells.cursor);
  tr.addEventListener("pointerenter", () => events.point(index));
  tr.addEventListener("pointerleave", () => events.point(null));
  return { tr, button, swatch: stroke, note, ...cells };
}

/** A sample of the line, in its colour and dash. */
export function swatch(dash: readonly number[]): SVGElement {
  const line = shape("path", { d: "M0 4h18", "stroke-dasharray": dash.join(" ") || null });
  return shape("svg", { class: "swatch", viewBox: "0 0 18 8", "aria-hidden": "true", "stroke-width": 2.5 }, line);
}
