import { Card, type CardEvents, type Setting } from "./card.ts";
import { element, say } from "./element.ts";
import { count } from "./format.ts";
import type { Group } from "./series.ts";

/** Cards that are made without being asked for: thousands at once help nobody. */
const FIRST = 60;
/** Plots from which on there is a box to find one. */
const SEARCHED = 7;

export interface BoardEvents extends CardEvents {
  /** A section was folded or unfolded. */
  fold(prefix: string, folded: boolean): void;
  /** Something is to be drawn that was not. */
  draw(): void;
}

interface Section {
  el: HTMLElement;
  grid: HTMLElement;
  number: HTMLElement | undefined;
}

/** All plots, in sections by prefix; what does not match the search is out of sight, what is off screen is not drawn. */
export class Board {
  readonly grid = element("div");
  readonly search = element("input", {
    type: "search",
    class: "find",
    placeholder: "find plots",
    "aria-label": "find plots by name",
  });
  readonly #said = element("span", { class: "ct-muted", role: "status" });
  readonly #more = element("button", { type: "button", class: "ct-button" });
  readonly el = element("div", {}, this.grid, this.#said, this.#more);
  readonly #sections = new Map<string, Section>();
  readonly #cards = new Map<string, Card>();
  readonly #seen: IntersectionObserver;
  #groups: readonly Group[] = [];
  #setting: Setting | undefined;
  #limit = FIRST;

  constructor(private readonly events: BoardEvents) {
    this.#more.addEventListener("click", () => {
      this.#limit = Number.POSITIVE_INFINITY;
      this.#arrange();
    });
    this.search.addEventListener("input", () => this.#arrange());
    this.#seen = new IntersectionObserver((entries) => this.#look(entries), { rootMargin: "200px" });
  }

  /** What is on screen and not folded away. */
  get visible(): Card[] {
    return this.found.filter((card) => card.visible);
  }

  /** What matches the search and stands in an open section. */
  get found(): Card[] {
    return [...this.#cards.values()].filter((card) => !card.el.hidden && !card.el.closest("details:not([open])"));
  }

  /** Makes the cards that are missing; one whose lines changed is made anew in its place. */
  lay(groups: readonly Group[], setting: Setting): void {
    this.#groups = groups;
    this.#setting = setting;
    for (const [name, card] of this.#cards) {
      const group = groups.find((one) => one.name === name);
      if (group && card.shows(group, setting)) continue;
      const fresh = group && this.#card(group, setting);
      if (fresh) card.el.replaceWith(fresh.el);
      else this.#cards.delete(name);
      card.destroy();
    }
    this.#arrange();
  }

  apply(setting: Setting): void {
    this.#setting = setting;
    for (const card of this.#cards.values()) card.apply(setting);
  }

  toggle(hidden: ReadonlySet<string>): void {
    for (const card of this.#cards.values()) card.toggle(hidden);
  }

  destroy(): void {
    this.#seen.disconnect();
    for (const card of this.#cards.values()) card.destroy();
  }

  #card(group: Group, setting: Setting): Card {
    const card = new Card(group, setting, this.events);
    this.#cards.set(group.name, card);
    this.#seen.observe(card.el);
    return card;
  }

  /** Shows what matches: every word of the search stands somewhere in the name. */
  #arrange(): void {
    const setting = this.#setting;
    if (!setting) return;
    const words = this.search.value.toLowerCase().split(/\s+/);
    const matching = this.#groups.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
    const shown = new Set(matching.slice(0, this.#limit));
    const numbers = new Map<string, number>();
    for (const [at, group] of this.#groups.entries()) {
      if (shown.has(group) && !this.#cards.has(group.name)) {
        const after = this.#groups.slice(at + 1).filter(({ prefix }) => prefix === group.prefix);
        const next = after.map(({ name }) => this.#cards.get(name)?.el).find((el) => el?.isConnected);
        this.#section(group.prefix, setting).grid.insertBefore(this.#card(group, setting).el, next ?? null);
      }
      const card = this.#cards.get(group.name);
      if (card) card.el.hidden = !shown.has(group);
      if (shown.has(group)) numbers.set(group.prefix, (numbers.get(group.prefix) ?? 0) + 1);
    }
    for (const [prefix, { el, number }] of this.#sections) {
      const n = numbers.get(prefix) ?? 0;
      el.hidden = n === 0;
      if (number) say(number, String(n));
    }
    const left = matching.length - shown.size;
    this.#more.hidden = left === 0;
    say(this.#more, `show ${count(left, "more plot")}`);
    this.search.hidden = this.#groups.length < SEARCHED && this.search.value === "";
    say(this.#said, matching.length === 0 && this.#groups.length > 0 ? `no plot is called "${this.search.value}"` : "");
    this.events.draw();
  }

  /** Plots without a prefix stand first and cannot be folded. */
  #section(prefix: string, setting: Setting): Section {
    const known = this.#sections.get(prefix);
    if (known) return known;
    const grid = element("div", { class: "grid" });
    const made: Section = { el: grid, grid, number: undefined };
    if (prefix === "") this.grid.prepend(grid);
    else {
      made.number = element("span", { class: "ct-muted" });
      const open = !setting.folded.has(prefix);
      const el = element("details", { open }, element("summary", {}, `${prefix} `, made.number), grid);
      el.addEventListener("toggle", () => {
        this.events.fold(prefix, !el.open);
        this.events.draw();
      });
      made.el = el;
      this.grid.append(el);
    }
    this.#sections.set(prefix, made);
    return made;
  }

  #look(entries: IntersectionObserverEntry[]): void {
    const cards = new Map([...this.#cards.values()].map((card) => [card.el as Element, card]));
    for (const entry of entries) {
      const card = cards.get(entry.target);
      if (card) card.visible = entry.isIntersecting;
    }
    this.events.draw();
  }
}
