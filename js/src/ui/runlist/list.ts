import type { Edit, Proposal, RowsPage, RunRow, Trail } from "../../contract.ts";
import { button, controlStyles } from "../controls.ts";
import { element, say, tell } from "../element.ts";
import { count } from "../format.ts";
import { popupStyles } from "../popup.ts";
import { panelRoot } from "../root.ts";
import { completionStyles } from "../table/completion.ts";
import { isExpression } from "../table/filter.ts";
import { searchBox } from "../table/search.ts";
import { tableStyles } from "../table/styles.ts";
import { Deeds } from "./deeds.ts";
import { Picked } from "./picked.ts";
import { RunItem } from "./row.ts";
import { runListStyles } from "./styles.ts";

/** Who brings the runs and does what is clicked. */
export interface RunListOwner {
  trails(): Promise<Trail[]>;
  rows(trail: string, where: string, offset: number, limit: number, signal: AbortSignal): Promise<RowsPage>;
  complete(trail: string, where: string, cursor: number): Promise<Proposal[]>;
  open(trail: string, run: RunRow): void;
  compare(trail: string, runs: readonly string[]): void;
  table(trail: string): void;
  /** What becomes of the line that loads the selected runs; what was done with it, in words. */
  readonly code: { label: string; title: string; take(trail: string, call: string): string | Promise<string> };
  change(trail: string, runs: readonly string[], what: Edit["do"], text: string): Promise<string>;
  /** Whether anybody can see the list: nothing is asked for while it is hidden. */
  visible(): boolean;
}

const PAGE = 50;
const LIVE_MS = 2000;
const REST_MS = 10_000;
const LIVE = "status == 'running'";

/** The runs of one trail at a time, live ones on top, with a search and what can be done to those selected. */
export function runList(into: HTMLElement, owner: RunListOwner, signal: AbortSignal): { look(): void } {
  const styles = controlStyles + popupStyles + completionStyles + tableStyles + runListStyles;
  const { el } = panelRoot(into, styles, "runs", signal);
  const list = new RunList(el, owner, signal);
  return { look: () => list.look() };
}

class RunList {
  readonly #items = new Map<string, RunItem>();
  readonly #trails = element("select", { "aria-label": "trail" });
  readonly #live = element("div", { role: "group", "aria-label": "running" });
  readonly #rest = element("div", { role: "group", "aria-label": "runs" });
  readonly #liveTitle = element("p", { class: "ct-rl-title", "aria-hidden": "true" }, "running");
  readonly #restTitle = element("p", { class: "ct-rl-title", "aria-hidden": "true" });
  readonly #none = element("p", { class: "ct-muted ct-rl-none", role: "status" });
  readonly #more: HTMLButtonElement;
  readonly #picked: Picked;
  readonly #deeds: Deeds;
  #where = "";
  #limit = PAGE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = new AbortController();

  constructor(
    el: HTMLElement,
    private readonly owner: RunListOwner,
    private readonly signal: AbortSignal,
  ) {
    const box = element("div", { role: "listbox", "aria-label": "runs", "aria-multiselectable": "true" });
    box.append(this.#liveTitle, this.#live, this.#restTitle, this.#rest);
    this.#picked = new Picked(
      box,
      () => this.#shown(),
      { open: (run) => this.#open(run), changed: () => this.#act() },
      signal,
    );
    box.addEventListener("dragstart", (event) => this.#drag(event), { signal });
    this.#deeds = new Deeds(
      {
        open: () => this.#picked.runs[0] && this.#open(this.#picked.runs[0]),
        compare: () => owner.compare(this.#trail, this.#picked.ids),
        code: { ...owner.code, take: () => owner.code.take(this.#trail, loading(this.#picked.ids)) },
        change: async (what, text) => {
          const said = await owner.change(this.#trail, this.#picked.ids, what, text);
          this.look();
          return said;
        },
      },
      signal,
    );
    this.#more = button("more", "show older runs", () => this.#showMore(), signal);
    this.#more.classList.add("ct-rl-more");
    this.#trails.addEventListener("change", () => this.#turn(), { signal });
    const table = button("table", "all runs of this trail as a table", () => owner.table(this.#trail), signal);
    el.append(
      element(
        "div",
        { class: "ct-rl-head" },
        element("div", { class: "ct-rl-top" }, this.#trails, table),
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

  get #trail(): string {
    return this.#trails.value;
  }

  #search(signal: AbortSignal): HTMLElement {
    const box = searchBox<RowsPage>(
      {
        start: "",
        ask: (where) => this.owner.rows(this.#trail, where, 0, 1, signal),
        complete: (where, cursor) => this.owner.complete(this.#trail, where, cursor),
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
    this.#limit = PAGE;
    this.look();
  }

  #turn(): void {
    this.#limit = PAGE;
    this.#picked.clear();
    this.#show([], [], 0); // a click on a run of the trail before would ask the other one for it
    this.#empty("");
    this.look();
  }

  #showMore(): void {
    this.#limit += PAGE;
    this.look();
  }

  #open(run: RunRow): void {
    this.owner.open(this.#trail, run);
  }

  /** Dropped into a cell, it is the line that loads the run. */
  #drag(event: DragEvent): void {
    const item = this.#shown().find(({ el }) => el === event.target);
    if (item) event.dataTransfer?.setData("text/plain", loading([item.row.id]));
  }

  #again(wait: number): void {
    clearTimeout(this.#timer);
    if (!this.signal.aborted) this.#timer = setTimeout(() => this.look(), wait);
  }

  async #read(asking: AbortSignal): Promise<void> {
    try {
      this.#offer(await this.owner.trails());
      if (asking.aborted) return;
      if (!this.#trail) {
        this.#show([], [], 0);
        this.#empty("no runs yet: put %%track on a cell, and they are listed here");
        return;
      }
      const and = this.#where ? ` and (${this.#where})` : "";
      const live = await this.owner.rows(this.#trail, LIVE + and, 0, PAGE, asking);
      const rest = await this.owner.rows(this.#trail, `not (${LIVE})${and}`, 0, this.#limit, asking);
      if (asking.aborted) return;
      this.#show(live.rows, rest.rows, rest.total);
      this.#again(live.total > 0 ? LIVE_MS : REST_MS);
    } catch (problem) {
      if (asking.aborted) return;
      this.#show([], [], 0);
      this.#empty(problem instanceof Error ? problem.message : String(problem));
      this.#again(REST_MS);
    }
  }

  #offer(trails: readonly Trail[]): void {
    const chosen = this.#trail;
    const words = trails.map((trail) => {
      const live = trail.live > 0 ? ` (${trail.live} running)` : "";
      return [trail.id, `${trail.folder ?? trail.name}${live}`] as const;
    });
    if (JSON.stringify(words) === this.#trails.dataset.known) return;
    this.#trails.dataset.known = JSON.stringify(words);
    this.#trails.replaceChildren(...words.map(([id, text]) => element("option", { value: id }, text)));
    if (trails.some(({ id }) => id === chosen)) this.#trails.value = chosen;
  }

  #show(live: readonly RunRow[], rest: readonly RunRow[], total: number): void {
    const now = Date.now() / 1000;
    const rows = [...live, ...rest];
    const known = new Set(rows.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (known.has(id)) continue;
      item.el.remove();
      this.#items.delete(id);
    }
    const place = (group: HTMLElement, some: readonly RunRow[]): void => {
      some.forEach((row, at) => {
        const item = this.#items.get(row.id) ?? new RunItem(row);
        this.#items.set(row.id, item);
        item.show(row, now);
        // An element that is moved loses the focus.
        if (group.children[at] !== item.el) group.insertBefore(item.el, group.children[at] ?? null);
      });
    };
    place(this.#live, live);
    place(this.#rest, rest);
    this.#liveTitle.hidden = live.length === 0;
    say(this.#restTitle, count(total, "run"));
    this.#restTitle.hidden = total === 0;
    this.#more.hidden = rest.length >= total;
    this.#empty(rows.length > 0 ? "" : this.#where ? "no run matches" : "no runs in this trail yet");
    this.#picked.refresh();
    this.#act();
  }

  #shown(): RunItem[] {
    return [...this.#live.children, ...this.#rest.children].flatMap((el) => {
      const found = [...this.#items.values()].find((item) => item.el === el);
      return found ? [found] : [];
    });
  }

  #act(): void {
    this.#deeds.show(this.#picked.ids.length);
  }

  #empty(sentence: string): void {
    tell(this.#none, sentence);
  }
}

/** The call that shows these runs. */
function loading(runs: readonly string[]): string {
  const names = runs.map((run) => JSON.stringify(run));
  return names.length === 1 ? `ct.run(${names[0]})` : `ct.compare(${names.join(", ")})`;
}
