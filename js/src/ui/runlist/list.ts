import type { Edit, Proposal, RunRow, Trail, TrailRows } from "../../contract.ts";
import { button, controlStyles } from "../controls.ts";
import { element, tell } from "../element.ts";
import { count } from "../format.ts";
import { popupStyles } from "../popup.ts";
import { panelRoot } from "../root.ts";
import { completionStyles } from "../table/completion.ts";
import { isExpression } from "../table/filter.ts";
import { searchBox } from "../table/search.ts";
import { tableStyles } from "../table/styles.ts";
import { Deeds } from "./deeds.ts";
import { DRAGGED } from "./dragged.ts";
import { type GroupedBy, Groups, Section } from "./groups.ts";
import { Picked } from "./picked.ts";
import { RunItem } from "./row.ts";
import { runListStyles } from "./styles.ts";
import { TrailChoice } from "./trails.ts";

/** Who brings the runs and does what is clicked. */
export interface RunListOwner {
  trails(): Promise<Trail[]>;
  /** The newest runs of these trails that match. */
  rows(trails: readonly string[], where: string, limit: number, signal: AbortSignal): Promise<TrailRows>;
  complete(trails: readonly string[], where: string, cursor: number): Promise<Proposal[]>;
  open(trail: string, run: RunRow): void;
  compare(trail: string, runs: readonly string[]): void;
  /** All runs of a trail, of which these are the words, as a table. */
  table(trail: string, title: string): void;
  /** What becomes of the line that loads the selected runs; what was done with it, in words. */
  readonly code: { label: string; title: string; take(trail: string, call: string): string | Promise<string> };
  change(trail: string, runs: readonly string[], what: Edit["do"], text: string): Promise<string>;
  /** Whether anybody can see the list: nothing is asked for while it is hidden. */
  visible(): boolean;
  /** How runs are grouped until something else is chosen. */
  readonly grouped?: GroupedBy;
  /** Milliseconds between two looks while a run goes on. */
  readonly pause?: (() => number) | undefined;
}

const PAGE = 50;
const GROUPED_PAGE = 200;
const LIVE_MS = 2000;
const REST_MS = 10_000;
const LIVE = "status == 'running'";
const NONE: TrailRows = { rows: [], trails: [], total: 0 };

/** The runs of the trails in reach, live ones on top, with a search and what can be done to those selected. */
export function runList(into: HTMLElement, owner: RunListOwner, signal: AbortSignal): { look(): void } {
  const styles = controlStyles + popupStyles + completionStyles + tableStyles + runListStyles;
  const { el } = panelRoot(into, styles, "runs", signal);
  const list = new RunList(el, owner, signal);
  return { look: () => list.look() };
}

class RunList {
  readonly #items = new Map<string, RunItem>();
  readonly #trails: TrailChoice;
  readonly #live: Section;
  readonly #groups: Groups;
  readonly #none = element("p", { class: "ct-muted ct-rl-none", role: "status" });
  readonly #more: HTMLButtonElement;
  readonly #picked: Picked;
  readonly #deeds: Deeds;
  #where = "";
  #pages = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = new AbortController();

  constructor(
    el: HTMLElement,
    private readonly owner: RunListOwner,
    private readonly signal: AbortSignal,
  ) {
    this.#trails = new TrailChoice(() => this.#turn(), signal);
    const folded = (): void => this.#picked.refresh();
    this.#live = new Section("running", folded);
    this.#groups = new Groups(owner.grouped ?? "nothing", () => this.#turn(), folded, signal);
    const box = element("div", {}, this.#live.el, this.#groups.el);
    this.#picked = new Picked(
      box,
      () => this.#shown(),
      { open: ({ trail, row }) => owner.open(trail, row), changed: () => this.#act() },
      signal,
    );
    box.addEventListener("dragstart", (event) => this.#drag(event), { signal });
    this.#deeds = new Deeds(
      {
        open: () => this.#picked.runs.slice(0, 1).map(({ trail, row }) => owner.open(trail, row)),
        compare: () => owner.compare(this.#one, this.#ids),
        code: { ...owner.code, take: () => owner.code.take(this.#one, loading(this.#ids)) },
        change: (what, text) => this.#change(what, text),
      },
      signal,
    );
    this.#more = button("more", "show older runs", () => this.#showMore(), signal);
    this.#more.classList.add("ct-rl-more");
    const table = button("table", "all runs of the trail as a table", () => this.#table(), signal);
    el.append(
      element(
        "div",
        { class: "ct-rl-head" },
        element("div", { class: "ct-rl-top" }, this.#trails.el, table),
        element("div", { class: "ct-rl-top" }, this.#groups.choice),
        this.#search(signal),
      ),
      element("div", { class: "ct-rl-scroll" }, this.#none, box, this.#more),
      this.#deeds.el,
    );
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      this.#asking.abort();
    });
    this.#empty("looking for trails …");
    this.look();
  }

  /** Asks for everything again, now. */
  look(): void {
    clearTimeout(this.#timer);
    if (this.signal.aborted) return;
    if (!this.owner.visible()) {
      this.#again(REST_MS);
      return;
    }
    this.#asking.abort();
    this.#asking = new AbortController();
    void this.#read(this.#asking.signal);
  }

  get #ids(): string[] {
    return this.#picked.runs.map(({ row }) => row.id);
  }

  /** The trail of what is selected. */
  get #one(): string {
    return this.#picked.runs[0]?.trail ?? this.#trails.chosen[0] ?? "";
  }

  #search(signal: AbortSignal): HTMLElement {
    const box = searchBox<TrailRows>(
      {
        start: "",
        ask: (where) => this.owner.rows(this.#trails.chosen, where, 1, signal),
        complete: (where, cursor) => this.owner.complete(this.#trails.chosen, where, cursor),
        // Plain words are looked for in everything that is kept as text; an expression is asked for first.
        words: (words, typed) => isExpression(typed) || this.#narrow(words ? `search(${JSON.stringify(words)})` : ""),
        found: (_, typed) => this.#narrow(typed),
        leave: () => this.#picked.focus(),
      },
      signal,
    );
    return box.el;
  }

  #narrow(where: string): void {
    if (where === this.#where) return;
    this.#where = where;
    this.#pages = 1;
    this.look();
  }

  /** Of runs in groups more are looked at, or a group had one or two. */
  get #limit(): number {
    return this.#pages * (this.#groups.by === "nothing" ? PAGE : GROUPED_PAGE);
  }

  #turn(): void {
    this.#pages = 1;
    this.#picked.clear();
    this.#show(NONE, NONE); // what is not seen any more must not be clicked
    this.#empty("");
    this.look();
  }

  #showMore(): void {
    this.#pages += 1;
    this.look();
  }

  #table(): void {
    const trail = this.#one;
    if (trail) this.owner.table(trail, `runs of ${this.#trails.wordsOf(trail)}`);
  }

  async #change(what: Edit["do"], text: string): Promise<string> {
    const selected = this.#picked.runs;
    const trails = [...new Set(selected.map(({ trail }) => trail))];
    const said = await Promise.all(
      trails.map((trail) => {
        const runs = selected.filter((item) => item.trail === trail).map(({ row }) => row.id);
        return this.owner.change(trail, runs, what, text);
      }),
    );
    this.look();
    return said.join("; ");
  }

  /** Dropped into a cell, it is the line that loads the run. */
  #drag(event: DragEvent): void {
    const item = this.#shown().find(({ el }) => el === event.target);
    if (!item) return;
    event.dataTransfer?.setData("text/plain", loading([item.row.id]));
    event.dataTransfer?.setData(DRAGGED, loading([item.row.id]));
  }

  #again(wait: number): void {
    clearTimeout(this.#timer);
    if (!this.signal.aborted) this.#timer = setTimeout(() => this.look(), wait);
  }

  async #read(asking: AbortSignal): Promise<void> {
    try {
      const trails = await this.owner.trails();
      if (asking.aborted) return;
      this.#trails.offer(trails);
      if (trails.length === 0) {
        this.#show(NONE, NONE);
        this.#empty("no runs yet: put %%track on a cell, and they are listed here");
        return;
      }
      const and = this.#where ? ` and (${this.#where})` : "";
      const live = await this.owner.rows(this.#trails.chosen, LIVE + and, PAGE, asking);
      const rest = await this.owner.rows(this.#trails.chosen, `not (${LIVE})${and}`, this.#limit, asking);
      if (asking.aborted) return;
      this.#show(live, rest);
      this.#again(live.total > 0 ? (this.owner.pause?.() ?? LIVE_MS) : REST_MS);
    } catch (problem) {
      if (asking.aborted) return;
      this.#show(NONE, NONE);
      this.#empty(problem instanceof Error ? problem.message : String(problem));
      this.#again(REST_MS);
    }
  }

  #show(live: TrailRows, rest: TrailRows): void {
    const now = Date.now() / 1000;
    const known = new Set([...keysOf(live), ...keysOf(rest)]);
    for (const [key, item] of this.#items) {
      if (known.has(key)) continue;
      item.el.remove();
      this.#items.delete(key);
    }
    const more = rest.rows.length < rest.total;
    this.#live.place(this.#renew(live, now));
    this.#live.show("running", String(live.total), "");
    this.#groups.show(this.#renew(rest, now), count(rest.total, "run"), more);
    this.#more.hidden = !more;
    this.#empty(known.size > 0 ? "" : this.#where ? "no run matches" : "no runs here yet");
    this.#picked.refresh();
    this.#act();
  }

  #renew({ rows, trails }: TrailRows, now: number): RunItem[] {
    return rows.map((row, at) => {
      const trail = trails[at] ?? "";
      const key = `${trail}/${row.id}`;
      const item = this.#items.get(key) ?? new RunItem(row, trail);
      this.#items.set(key, item);
      item.show(row, now, this.#trails.chosen.length > 1 ? this.#trails.wordsOf(trail) : "");
      return item;
    });
  }

  #shown(): RunItem[] {
    const items = new Map([...this.#items.values()].map((item) => [item.el as Element, item]));
    return [...this.#live.elements, ...this.#groups.elements].flatMap((el) => items.get(el) ?? []);
  }

  #act(): void {
    this.#deeds.show(this.#picked.runs.length, new Set(this.#picked.runs.map(({ trail }) => trail)).size > 1);
  }

  #empty(sentence: string): void {
    tell(this.#none, sentence);
  }
}

function keysOf({ rows, trails }: TrailRows): string[] {
  return rows.map(({ id }, at) => `${trails[at]}/${id}`);
}

/** The call that shows these runs. */
function loading(runs: readonly string[]): string {
  const names = runs.map((run) => JSON.stringify(run));
  return names.length === 1 ? `ct.run(${names[0]})` : `ct.compare(${names.join(", ")})`;
}
