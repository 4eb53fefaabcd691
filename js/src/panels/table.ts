import type { RowsPage, RunRow, TableOptions } from "../contract.ts";
import { widget } from "../kernel.ts";
import type { Mount, Source } from "../source.ts";
import { comparisonStyles } from "../ui/compare/styles.ts";
import { checkbox, controlStyles } from "../ui/controls.ts";
import { element, say } from "../ui/element.ts";
import { count } from "../ui/format.ts";
import { panelRoot } from "../ui/root.ts";
import { besideTable } from "../ui/table/beside.ts";
import { type Column, chosen, columnsOf, startsWithDiffering } from "../ui/table/columns.ts";
import { copyText, toMarkdown, toTsv } from "../ui/table/copy.ts";
import { WordFilter } from "../ui/table/filter.ts";
import { footLine } from "../ui/table/foot.ts";
import { Grid } from "../ui/table/grid.ts";
import { leavePanel } from "../ui/table/leave.ts";
import { ordered, pressed, type SortKey } from "../ui/table/order.ts";
import { gridColumns } from "../ui/table/paint.ts";
import { searchBox } from "../ui/table/search.ts";
import { tableStyles } from "../ui/table/styles.ts";

const NARROW = 560; // px
const AGES_MS = 60_000;
const PINNED = 2; // the box and the name

/** The run table: filter, sort, select, copy, compare. */
export const mount: Mount<TableOptions> = (into, source, signal) => {
  const { el } = panelRoot(into, controlStyles + tableStyles + comparisonStyles, "table", signal);
  new RunTable(el, source, signal);
};

export default widget(mount);

class RunTable {
  readonly #words = new WordFilter();
  readonly #grid: Grid<RunRow>;
  readonly #search: ReturnType<typeof searchBox<RowsPage>>;
  readonly #foot: ReturnType<typeof footLine>;
  readonly #beside: ReturnType<typeof besideTable>;
  readonly #differing: ReturnType<typeof checkbox>;
  readonly #title = element("span", { class: "ct-title" });
  readonly #counted = element("span", { class: "ct-muted", role: "status" });
  readonly #none = element("div", { class: "ct-message" });
  readonly #table = element("div");
  readonly #hints = element("p", { class: "ct-muted", role: "status" });
  readonly #trouble = element("p", { class: "ct-error", role: "alert", hidden: true });

  #rows: RunRow[] = [];
  #columns: Column[] = [];
  #shown: { rows: RunRow[]; columns: Column[] } = { rows: [], columns: [] };
  #plain = ""; // the words that filter here
  #found: RowsPage | null = null; // what the kernel found for an expression
  #onlyDiffering: boolean | null = null; // null: nobody said, so the number of columns decides
  #options: TableOptions;
  #narrow = false;

  constructor(
    private readonly el: HTMLElement,
    private readonly source: Source<TableOptions>,
    signal: AbortSignal,
  ) {
    this.#options = source.options();
    this.#grid = new Grid<RunRow>(
      {
        label: "runs",
        pinned: PINNED,
        key: (row) => row.id,
        title: (row) => row.error ?? "",
        press: (id, several) => this.#keep({ sort: pressed(this.#options.sort, id, several) }),
        select: (keys, on) => this.#select(keys, on),
        find: () => this.#search.input.focus(),
      },
      signal,
    );
    this.#grid.el.addEventListener("keydown", (event) => event.key === "Escape" && leavePanel(el), { signal });
    this.#foot = footLine(
      {
        compares: source.kind === "kernel",
        compare: () => void this.#beside.open(this.#options.selected),
        clear: () => this.#keep({ selected: [] }),
        copy: (form) => this.#copy(form),
      },
      signal,
    );
    this.#beside = besideTable(
      (runs) => source.compare(runs),
      () => this.#grid.focus(),
      signal,
    );
    this.#differing = checkbox("only differing", (on) => this.#flip(on), signal);
    this.#read();
    this.#search = searchBox<RowsPage>(
      {
        start: this.#options.filter,
        ask: source.kind === "kernel" ? (where) => source.query(where) : null,
        words: (text, typed) => this.#filter(text, null, typed),
        found: (found, typed) => this.#filter("", found, typed),
        leave: () => this.#grid.focus(),
      },
      signal,
    );
    this.#arrange();
    this.#show();
    this.#listen(signal);
  }

  #arrange(): void {
    const bar = element("div", { class: "ct-bar" }, this.#title, this.#search.el, this.#differing.el, this.#counted);
    this.#table.append(bar, this.#hints, this.#grid.el, this.#none, this.#foot.el, this.#beside.el);
    this.el.append(this.#trouble, this.#table);
  }

  #listen(signal: AbortSignal): void {
    this.source.changed(() => {
      this.#read();
      this.#search.again();
      this.#show();
    }, signal);
    this.source.faults((sentence) => {
      say(this.#trouble, sentence);
      this.#trouble.hidden = false;
    }, signal);
    const ages = setInterval(() => this.#show(), AGES_MS);
    const widths = new ResizeObserver(() => this.#fit());
    widths.observe(this.el);
    signal.addEventListener("abort", () => {
      clearInterval(ages);
      widths.disconnect();
    });
  }

  #fit(): void {
    const width = this.el.clientWidth;
    const narrow = width < NARROW;
    if (width === 0 || narrow === this.#narrow) return;
    this.#narrow = narrow;
    this.#show();
  }

  /** The facts as they are now. */
  #read(): void {
    this.#rows = this.source.payload().rows;
    this.#columns = columnsOf(this.#rows);
  }

  #filter(plain: string, found: RowsPage | null, typed: string): void {
    this.#plain = plain;
    this.#found = found;
    this.#keep({ filter: typed });
  }

  #flip(onlyDiffering: boolean): void {
    this.#onlyDiffering = onlyDiffering;
    this.#show();
  }

  #select(keys: string[], on: boolean): void {
    // The order of selection is kept: the run selected first is the one the others are compared with.
    const selected = new Set(this.#options.selected);
    for (const key of keys) {
      if (on) selected.add(key);
      else selected.delete(key);
    }
    this.#keep({ selected: [...selected] });
  }

  #keep(change: Partial<TableOptions>): void {
    this.#options = { ...this.#options, ...change };
    this.source.keep(this.#options);
    this.#show();
  }

  async #copy(form: "tsv" | "markdown"): Promise<string> {
    const { columns, rows } = this.#shown;
    const text = form === "tsv" ? toTsv(columns, rows) : toMarkdown(columns, rows);
    const done = await copyText(text, this.el);
    return done ? `copied ${count(rows.length, "run")}` : "the browser did not allow copying";
  }

  #show(): void {
    const payload = this.source.payload();
    const onlyDiffering = this.#onlyDiffering ?? startsWithDiffering(this.#columns);
    const columns = chosen(this.#columns, this.#rows, onlyDiffering);
    const byId = new Map(this.#columns.map((column) => [column.id, column]));
    const key = (row: RunRow, id: string): SortKey => byId.get(id)?.key(row);
    const matching = this.#words.rows(this.#found?.rows ?? this.#rows, this.#plain);
    const rows = ordered(matching, this.#options.sort, key);
    this.#shown = { rows, columns };

    const total = this.#rows.length + payload.omitted;
    this.#title.textContent = payload.title;
    this.#title.title = payload.title;
    say(this.#counted, counted(rows.length, this.#found?.total ?? rows.length, total, this.#rows.length));
    this.#differing.box.checked = onlyDiffering;
    this.#differing.el.hidden = this.#rows.length < 2;
    this.#differing.el.title = `${columns.length - 1} of ${count(this.#columns.length - 1, "column")} shown`;

    const scene = { now: Date.now() / 1000, narrow: this.#narrow, digit: digitWidth(this.el) };
    const selected = new Set(this.#options.selected);
    this.#grid.show({
      columns: gridColumns(columns, this.#rows, rows, scene),
      rows,
      sort: this.#options.sort,
      selected,
      reserve: this.#rows.length,
    });
    this.#foot.show(selected.size, selected.size - rows.filter((row) => selected.has(row.id)).length);
    this.#sayNothing(rows.length);
  }

  /** What stands in the place of rows. */
  #sayNothing(shown: number): void {
    const { omitted, hints } = this.source.payload();
    const none = this.#rows.length === 0 && this.#found === null && omitted === 0;
    const odd = this.#found?.hints ?? hints;
    say(this.#hints, odd.join("; "));
    this.#hints.hidden = odd.length === 0;
    this.#grid.el.hidden = none;
    this.#search.el.hidden = none;
    this.#counted.hidden = none;
    this.#none.hidden = shown > 0;
    this.#foot.el.hidden = none;
    this.#none.classList.toggle("ct-none", !none);
    if (none && odd.length > 0) this.#none.textContent = "";
    else if (none) this.#none.replaceChildren("no runs yet; put ", element("code", {}, "%%track"), " on a cell");
    else this.#none.textContent = "no run matches the filter";
  }
}

/** "12 of 300 runs", and when the panel does not hold them all, how to reach the others. */
function counted(shown: number, found: number, total: number, held: number): string {
  if (held < total && shown === held)
    return `the first ${shown} of ${count(total, "run")}; an expression reaches the others`;
  if (found > shown) return `the first ${shown} of ${count(found, "run")} that match`;
  return shown === total ? count(total, "run") : `${shown} of ${count(total, "run")}`;
}

const DIGIT = 7.6; // px; where nothing is laid out yet

function digitWidth(near: HTMLElement): number {
  const probe = element("span", { class: "ct-probe" }, "0000000000");
  near.append(probe);
  const width = probe.getBoundingClientRect().width / 10;
  probe.remove();
  return width || DIGIT;
}
