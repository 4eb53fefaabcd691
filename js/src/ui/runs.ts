import type { RunState } from "../contract.ts";
import { element, say } from "./element.ts";
import { count, formatDuration } from "./format.ts";
import { swatch } from "./legend.ts";
import { showStatus, statusChip } from "./status.ts";
import { paint, type Theme } from "./theme.ts";

interface Row {
  tr: HTMLTableRowElement;
  told: RunState | null; // what it says
  swatch: SVGElement;
  status: HTMLElement;
  step: HTMLElement;
  seconds: HTMLElement;
  points: HTMLElement;
  left: HTMLElement;
}

const ERRORS = 3;

/** One line a run: what it is called, how it stands, how far it came. */
export class Runs {
  readonly el: HTMLElement;
  readonly #body = element("tbody");
  readonly #errors = element("div", { class: "errors" });
  readonly #live = element("div", { class: "ct-unseen", "aria-live": "polite" });
  readonly #rows = new Map<string, Row>();
  readonly #known = new Map<string, string>();

  constructor() {
    const heads = ["run", "status", "step", "elapsed", "points", "left"].map((word) =>
      element("th", { scope: "col" }, word),
    );
    const head = element("thead", { class: "ct-unseen" }, element("tr", {}, ...heads));
    const table = element("table", { "aria-label": "runs" }, head, this.#body);
    this.el = element("div", { class: "runs" }, element("div", { class: "scroll" }, table), this.#errors, this.#live);
  }

  show(states: readonly RunState[]): void {
    const many = states.length > 1;
    const turned = this.el.classList.contains("many") !== many;
    this.el.classList.toggle("many", many);
    for (const state of states) {
      const row = this.#rows.get(state.run) ?? this.#add(state);
      if (row.told === state && !turned) continue; // of a thousand runs one or two go on
      row.told = state;
      // a sweep's own run, or one that has logged nothing yet: there is no line of this colour
      row.swatch.style.visibility = many && state.points === 0 ? "hidden" : "";
      showStatus(row.status, state.status);
      say(row.step, state.step === null ? "" : `step ${state.step.toLocaleString("en-US")}`);
      say(row.seconds, formatDuration(state.seconds));
      say(row.points, state.points === 0 ? "" : count(state.points, "point"));
      say(row.left, state.left === null ? "" : `about ${formatDuration(state.left)} left`);
      this.#announce(state);
    }
    this.#blame(states.filter((state) => state.error));
  }

  paint(theme: Theme, colours: ReadonlyMap<string, number>): void {
    for (const [run, row] of this.#rows) {
      row.swatch.setAttribute("stroke", paint(theme, colours.get(run) ?? 0));
    }
  }

  #add(state: RunState): Row {
    const cell = (name: string): HTMLElement => element("td", { class: name });
    const row = {
      swatch: swatch([]),
      status: statusChip(state.status),
      step: cell("ct-number"),
      seconds: cell("ct-number"),
      points: cell("ct-number"),
      left: cell("ct-number"),
    };
    const name = element(
      "th",
      { scope: "row" },
      row.swatch,
      element("span", { class: "name", title: state.name }, state.name),
    );
    const tr = element("tr", {}, name, element("td", {}, row.status), row.step, row.seconds, row.points, row.left);
    this.#body.append(tr);
    const made = { tr, told: null, ...row };
    this.#rows.set(state.run, made);
    return made;
  }

  /** A run that fails says why, at once and in full. */
  #blame(failed: readonly RunState[]): void {
    const one = this.#rows.size === 1;
    const sentences = failed.map((state) => (one ? `${state.error}` : `${state.name}: ${state.error}`));
    const told = sentences.slice(0, ERRORS);
    if (sentences.length > ERRORS) told.push(`and ${sentences.length - ERRORS} more`);
    if (told.join("\n") === this.#errors.dataset.told) return;
    this.#errors.dataset.told = told.join("\n");
    this.#errors.replaceChildren(...told.map((sentence) => element("p", { class: "ct-error ct-mono" }, sentence)));
  }

  /** Only an end is read out: a screen reader must not drone along with the points. */
  #announce(state: RunState): void {
    const before = this.#known.get(state.run);
    this.#known.set(state.run, state.status);
    if (before === "running" && state.status !== "running") {
      say(this.#live, `${state.name} ${state.status} after ${formatDuration(state.seconds)}`);
    }
  }
}
