import type { RowsPage, TableOptions } from "../../contract.ts";
import type { Source } from "../../source.ts";
import { element } from "../element.ts";
import { Acts } from "./acts.ts";
import { besideTable } from "./beside.ts";
import { Changes } from "./changes.ts";
import { narrowed } from "./condition.ts";
import { Copies } from "./copies.ts";
import type { DrawnRuns } from "./drawn.ts";
import { Far, isCurve } from "./far.ts";
import { footLine } from "./foot.ts";
import { freshRuns } from "./fresh.ts";
import { Grid } from "./grid.ts";
import type { Standing } from "./gridview.ts";
import { type Entry, isGhost, isGroup } from "./grouping.ts";
import { leavePanel } from "./leave.ts";
import { runsOf, type Seen, TableModel } from "./model.ts";
import { flipped, moveBefore, resized, UNTOUCHED } from "./options.ts";
import { pressed } from "./order.ts";
import { Painter, tick } from "./paint.ts";
import { searchBox } from "./search.ts";
import { Stale } from "./stale.ts";
import { toolBar } from "./tools.ts";
import { Views } from "./views.ts";
import { DIGIT, digitWidth } from "./widths.ts";
import { TableWords } from "./words.ts";

const NARROW = 560; // px
const AGES_MS = 60_000;
const TICK_MS = 1000;

/** Makes the place for the curves of the selected runs; `back` returns to the table. */
type Curves = (back: () => void) => DrawnRuns;

/** The table of runs: its parts, and what each of them tells the others. */
export class RunTable {
  readonly #model: TableModel;
  readonly #painter = new Painter();
  readonly #grid: Grid<Entry>;
  readonly #search: ReturnType<typeof searchBox<RowsPage | null>>;
  readonly #tools: ReturnType<typeof toolBar>;
  readonly #foot: ReturnType<typeof footLine>;
  readonly #beside: ReturnType<typeof besideTable>;
  readonly #words = new TableWords();
  readonly #fresh: ReturnType<typeof freshRuns>;
  readonly #stale: Stale;
  readonly #acts: Acts;
  readonly #drawn: DrawnRuns;
  #seen: Seen;
  #narrow = false;
  #digit = 0; // px

  constructor(
    private readonly el: HTMLElement,
    private readonly source: Source<TableOptions>,
    curves: Curves,
    private readonly signal: AbortSignal,
  ) {
    this.#model = new TableModel(source.options());
    this.#stale = new Stale(source, () => this.#show(), signal);
    this.#fresh = freshRuns(() => void this.#renew(), signal);
    this.#grid = new Grid<Entry>(
      {
        label: "runs",
        key: (entry) => entry.id,
        standing: (entry) => this.#standing(entry),
        press: (id, several) => this.#keep({ sort: pressed(this.#model.options.sort, id, several) }),
        select: (keys, on) => this.#select(keys, on),
        toggle: (entry) => this.#keep({ folded: flipped(this.#model.options.folded, entry.id) }),
        keyed: (event, spot) => this.#acts.keyed(event, spot),
        menu: (spot) => this.#acts.menu(spot),
        open: (spot) => this.#acts.open(spot),
        resize: (id, width) => this.#keep(resized(this.#model.options, id, width)),
        move: (id, before) => this.#keep(moveBefore(this.#model.options, this.#model.columns, id, before)),
        drawn: (first, end, columns) => this.#look(first, end, columns),
      },
      signal,
    );
    this.#grid.el.addEventListener("keydown", (event) => event.key === "Escape" && leavePanel(el), { signal });
    const say = (sentence: string, wrong: boolean): void => this.#foot.say(sentence, wrong, null);
    const views = new Views(
      source,
      {
        options: () => this.#model.options,
        opened: (to) => this.#open(to),
        find: (where) => this.#search.write(where),
        say,
      },
      signal,
    );
    this.#tools = toolBar(this.#model, (change) => this.#keep(change), views, signal);
    this.#foot = footLine(
      {
        compares: source.kind === "kernel",
        draw: () => this.#drawn.open(this.#model.options.selected),
        compare: () => void this.#beside.open(this.#model.options.selected),
        clear: () => this.#keep({ selected: [] }),
        copy: (anchor) => copies.menu(anchor),
        change: (anchor) => this.#acts.change(anchor),
      },
      signal,
    );
    const copies = new Copies(source, { seen: () => this.#seen, model: this.#model, say }, el, signal);
    const changes = new Changes(
      source,
      {
        rows: () => this.#model.rows,
        say: (sentence, wrong, undo) => this.#foot.say(sentence, wrong, undo),
        gone: (runs) => this.#keep({ selected: this.#model.options.selected.filter((run) => !runs.includes(run)) }),
      },
      signal,
    );
    this.#acts = new Acts(
      this.#model,
      changes,
      {
        shown: () => this.#seen.columns.map((column) => column.id),
        keep: (change) => this.#keep(change),
        find: () => this.#search.input.focus(),
        narrow: (condition) => this.#search.write(narrowed(this.#search.input.value.trim(), condition)),
      },
      signal,
    );
    const back = (): void => this.#grid.focus();
    this.#beside = besideTable((runs) => source.compare(runs), back, signal);
    this.#drawn = curves(back);
    this.#read();
    this.#seen = this.#model.seen(false);
    const asks = source.kind === "kernel" || null;
    this.#search = searchBox<RowsPage | null>(
      {
        start: this.#model.options.filter,
        ask: asks && ((where) => this.#find(where)),
        complete:
          asks && (async (where, cursor) => (await source.ask({ kind: "complete", where, cursor })).proposals ?? []),
        words: (text, typed) => this.#filter(text, null, typed),
        found: (found, typed) => this.#filter("", found, typed),
        leave: () => this.#grid.focus(),
      },
      signal,
    );
    this.#words.search = this.#search.el;
    this.#search.input.addEventListener("focus", () => void this.#model.far?.learn(), { signal });
    this.el.append(
      this.#words.trouble,
      element(
        "div",
        { class: "ct-bar" },
        this.#words.title,
        this.#search.el,
        this.#tools.el,
        this.#words.counted,
        this.#fresh.el,
      ),
      this.#words.hints,
      element("div", { class: "ct-gridbox" }, this.#grid.el, this.#words.none),
      this.#foot.el,
      this.#drawn.el,
      this.#beside.el,
    );
    this.#list();
    this.#show();
    this.#listen(signal);
  }

  #listen(signal: AbortSignal): void {
    this.source.changed(() => {
      this.#read();
      this.#stale.forget();
      this.#fresh.say(0); // those that came since are among them
      this.#search.again();
      this.#list(true);
      this.#show();
    }, signal);
    this.source.news((news) => {
      this.#model.amend(news.rows);
      this.#fresh.say(news.fresh);
      this.#show();
    }, signal);
    this.source.faults((sentence) => this.#words.complain(sentence), signal);
    const ages = setInterval(() => this.#show(), AGES_MS);
    const going = setInterval(() => tick(this.#grid.el), TICK_MS);
    const widths = new ResizeObserver(() => this.#fit());
    widths.observe(this.el);
    signal.addEventListener("abort", () => {
      clearInterval(ages);
      clearInterval(going);
      widths.disconnect();
    });
  }

  #fit(): void {
    const width = this.el.clientWidth;
    const narrow = width < NARROW;
    const digit = digitWidth(this.el);
    if (width === 0 || (narrow === this.#narrow && digit === this.#digit)) return;
    this.#narrow = narrow;
    this.#digit = digit;
    this.#show();
  }

  /** The facts as they are now. */
  #read(): void {
    const { rows, omitted } = this.source.payload();
    if (this.source.kind !== "kernel" || omitted === 0) this.#model.far = null;
    else
      this.#model.far ??= new Far(
        this.source,
        () => this.#show(),
        (said) => this.#words.complain(said),
        this.signal,
      );
    this.#model.read(rows);
    this.#painter.read(rows);
  }

  /** The runs that came since, too. */
  async #renew(): Promise<void> {
    this.#model.release();
    try {
      await this.source.ask({ kind: "renew" });
      this.#fresh.say(0);
      this.#grid.el.scrollTop = 0;
    } catch (refusal) {
      this.#words.complain(refusal instanceof Error ? refusal.message : String(refusal));
    }
  }

  #open(options: TableOptions): void {
    this.#model.options = { ...UNTOUCHED, ...options };
    this.#search.write(options.filter);
  }

  /** The runs of an expression; where most runs are with the kernel, its list of them is the answer. */
  async #find(where: string): Promise<RowsPage | null> {
    const { far, asking } = this.#model;
    if (!far) return this.source.query(where);
    await far.list({ ...asking, where, words: "" });
    return null;
  }

  #filter(words: string, found: RowsPage | null, typed: string): void {
    this.#model.where = words === typed ? "" : typed;
    this.#model.words = words;
    this.#model.found = found;
    this.#keep({ filter: typed });
  }

  #look(first: number, end: number, columns: readonly string[]): void {
    const { far, options } = this.#model;
    const drawn = this.#seen.entries.slice(first, end).filter((entry) => !isGroup(entry));
    const runs = [...(options.baseline === null ? [] : [options.baseline]), ...drawn.map((entry) => entry.id)];
    this.#stale.look(runs);
    const summed = this.#seen.grouped ? columns : columns.filter((id) => id.startsWith("best."));
    far?.look({ runs, shown: columns, columns: summed, curves: columns.some(isCurve) });
  }

  /** Another order, other groups: where most runs are with the kernel, it is asked for them. */
  #list(changed = false): boolean {
    const { far, asking } = this.#model;
    if (!far || !(changed || far.asksAnew(asking))) return false;
    const complain = (refusal: unknown): void =>
      this.#words.complain(refusal instanceof Error ? refusal.message : String(refusal));
    far.list(asking).then(() => this.#words.complain(""), complain);
    return far.listing !== null;
  }

  #select(keys: string[], on: boolean): void {
    // The order of selection is kept: the run selected first is the one the others are compared with.
    const selected = new Set(this.#model.options.selected);
    for (const run of runsOf(this.#seen.entries, keys)) {
      if (on) selected.add(run);
      else selected.delete(run);
    }
    this.#keep({ selected: [...selected] });
  }

  #keep(change: Partial<TableOptions>): void {
    const { filter } = this.#model.options;
    if (change.sort || change.group) this.#model.release();
    this.#model.options = { ...this.#model.options, ...change };
    this.source.keep(this.#model.options);
    if (change.sort || change.group || (change.filter ?? filter) !== filter) this.#grid.el.scrollTop = 0;
    if (!this.#list()) this.#show();
    else {
      // the rows stay as they are until the kernel has answered; that it was asked is seen at once
      this.#grid.order(this.#model.options.sort);
      this.#tools.show(this.#seen.columns.length);
    }
  }

  #standing(entry: Entry): Standing {
    const { folded, baseline } = this.#model.options;
    const { grouped } = this.#seen;
    if (isGroup(entry)) return { mark: "group", title: "", level: 1, expanded: !folded.includes(entry.id) };
    const isBase = entry.id === baseline;
    const level = grouped ? (isBase ? 1 : 2) : null;
    return { mark: isBase ? "baseline" : "", title: isGhost(entry) ? "" : (entry.error ?? ""), level, expanded: null };
  }

  #show(): void {
    const { options, rows: all } = this.#model;
    const seen = this.#model.seen(this.#narrow);
    this.#seen = seen;
    const { entries, runs, columns, pinned, selected, baseline, base, grouped } = seen;
    const folded = new Set(options.folded);
    this.#digit ||= digitWidth(this.el);
    const digit = this.#digit || DIGIT;
    const now = Date.now() / 1000;
    const repeats = (entry: Entry): boolean => isGroup(entry) && entry.runs.length > 1;
    const scene = {
      now,
      narrow: this.#narrow,
      digit,
      baseline,
      base,
      folded,
      judges: base !== null && repeats(base) && entries.some((entry) => entry.id !== base.id && repeats(entry)),
      widths: options.widths,
      grouped,
      lacks: (run: string, column: string) => this.#model.far?.lacks(run, column) ?? false,
      stale: (run: string) => this.#stale.why(run),
      anyStale: this.#stale.any,
    };
    this.#grid.show({
      columns: this.#painter.columns(seen, scene),
      pinned,
      rows: entries,
      sticky: baseline !== null && entries[0]?.id === baseline.id,
      tree: grouped,
      sort: options.sort,
      selected,
      reserve: all.length,
    });
    const hidden = options.selected.length - runs.filter((run) => selected.has(run)).length;
    this.#foot.show(options.selected.length, hidden);
    this.#drawn.follow(options.selected);
    this.#tools.show(columns.length);
    const none = this.#words.show(this.source.payload(), seen, this.#model);
    this.#grid.el.hidden = none;
    this.#foot.el.hidden = none;
    this.#tools.el.hidden = none;
  }
}
