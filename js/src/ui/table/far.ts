import { assert } from "../../assert.ts";
import type { List, Listing, RunRow, Sum, Summed, Sums } from "../../contract.ts";
import type { Asked, Source } from "../../source.ts";
import { formatMoment, formatScalar } from "../format.ts";
import type { Column } from "./columns.ts";
import { type Aggregate, type Ghost, type Group, groupId, meanTold, titleOf, valuesTold } from "./grouping.ts";
import type { Measured } from "./verdict.ts";

export type Asking = Omit<Asked<List>, "first" | "columns">;

/** What is in view, and what is just outside. */
interface Wanted {
  runs: readonly string[];
  columns: readonly string[]; // whose sums are shown
  curves: boolean; // whether rows show them
}

const MOST_KEPT = 800; // rows
const MOST_ASKED = 100; // rows at once
const REST_MS = 60; // a scroll that lasts asks for nothing on its way
const NO_SUMS: Sums = { groups: [], best: {} };

/**
 * The runs of a table that holds only those in view. The kernel finds, orders, groups and sums up; rows come as they
 * are looked at, their curves once the eye rests on them.
 */
export class Far {
  listing: Listing | null = null;
  #sums: Sums = NO_SUMS;
  #summed = "";
  #heads = "";
  readonly #rows = new Map<string, RunRow>();
  readonly #plain = new Set<string>(); // ids of the rows here that have no curves yet
  readonly #old = new Set<string>(); // ids of the rows here that may say something else by now
  readonly #ghosts = new Map<string, Ghost>();
  #asked: Asking = { where: "", words: "", sort: [], group: [] };
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #fetching = false;
  #looked = 0;
  readonly #listed = new Set<string>(); // questions whose first rows came along
  #wanted: Wanted = { runs: [], columns: [], curves: false };

  constructor(
    private readonly source: Pick<Source<unknown>, "ask">,
    private readonly changed: () => void,
    private readonly complain: (sentence: string) => void,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  get best(): Readonly<Record<string, readonly string[]>> {
    return this.#sums.best;
  }

  /** The rows that are here. */
  get rows(): RunRow[] {
    return [...this.#rows.values()];
  }

  row(id: string): RunRow | Ghost {
    const row = this.#rows.get(id);
    if (row) return row;
    let ghost = this.#ghosts.get(id);
    if (!ghost) {
      ghost = { id, ghost: true };
      this.#ghosts.set(id, ghost);
    }
    return ghost;
  }

  /** The facts changed: rows that came with the news are known, all others are read again when they are looked at. */
  renew(rows: readonly RunRow[]): void {
    for (const run of this.#rows.keys()) this.#old.add(run);
    this.#plain.clear();
    this.#listed.clear();
    this.#summed = "";
    for (const row of rows) {
      this.#rows.set(row.id, row);
      this.#old.delete(row.id);
    }
  }

  /** These rows say something else now. */
  amend(rows: readonly RunRow[]): void {
    for (const row of rows) if (this.#rows.has(row.id)) this.#rows.set(row.id, row);
  }

  asksAnew(asking: Asking): boolean {
    return this.listing === null || JSON.stringify(asking) !== JSON.stringify(this.#asked);
  }

  /** Which runs there are to see, in which order; of several questions in a row only the last one counts. */
  async list(asking: Asking): Promise<void> {
    const mine = ++this.#turn;
    this.#asked = asking;
    const question = JSON.stringify(asking);
    // what is seen at once comes along, but for sums over groups, which take their time
    const first = this.#listed.has(question) ? 0 : this.#wanted.runs.length;
    const columns = asking.group.length > 0 ? [] : [...this.#wanted.columns];
    const { listing, rows, sums } = await this.source.ask({ kind: "list", ...asking, first, columns });
    assert(listing, "the kernel answered without a list of runs");
    if (mine !== this.#turn || this.signal.aborted) return;
    this.#listed.add(question);
    const heads = JSON.stringify(listing.heads);
    // the same object as long as they say the same: no column is made anew for another order
    this.listing = this.listing && heads === this.#heads ? { ...listing, heads: this.listing.heads } : listing;
    this.#heads = heads;
    this.#keep(rows?.rows ?? [], false);
    this.#sums = sums ?? NO_SUMS;
    this.#summed = sums ? JSON.stringify({ ...asking, columns }) : "";
    this.changed();
  }

  groups(by: readonly Column[]): Group[] {
    return (this.listing?.groups ?? []).map(({ values, runs }, place) => ({
      id: groupId(values),
      title: titleOf(by, (_, at) => formatScalar(values[at] ?? null)),
      runs,
      says: (column: Column) => aggregateOf(column, this.#sums.groups[place]?.[column.id], runs.length),
      measured: (column: Column) => measuredOf(column, this.#sums.groups[place]?.[column.id]),
    }));
  }

  /** What is looked at now. */
  look(wanted: Wanted): void {
    this.#wanted = wanted;
    clearTimeout(this.#timer);
    const now = Date.now();
    this.#timer = setTimeout(() => void this.#fetch(), now - this.#looked > 2 * REST_MS ? 0 : REST_MS);
    this.#looked = now;
  }

  /** These rows, whether they are in view or not. */
  async hold(runs: readonly string[]): Promise<void> {
    const missing = runs.filter((run) => !this.#rows.has(run)).slice(0, MOST_ASKED);
    if (missing.length > 0) await this.#read(missing, false);
  }

  async #fetch(): Promise<void> {
    if (this.#fetching || this.signal.aborted) return;
    this.#fetching = true;
    try {
      while (await this.#next()) if (this.signal.aborted) return;
    } catch (refusal) {
      this.complain(refusal instanceof Error ? refusal.message : String(refusal));
    } finally {
      this.#fetching = false;
    }
  }

  /** The most urgent of what is wanted: rows, then sums, then curves. False when there is nothing left. */
  async #next(): Promise<boolean> {
    const { runs, columns, curves } = this.#wanted;
    const missing = runs.filter((run) => !this.#rows.has(run) || this.#old.has(run)).slice(0, MOST_ASKED);
    const plain = runs.filter((run) => this.#plain.has(run)).slice(0, MOST_ASKED);
    const summing: Asked<Sum> = { ...this.#asked, columns: [...columns] };
    if (missing.length > 0) await this.#read(missing, false);
    else if (this.listing && columns.length > 0 && JSON.stringify(summing) !== this.#summed) await this.#sum(summing);
    else if (curves && plain.length > 0) await this.#read(plain, true);
    else return false;
    if (!this.signal.aborted) this.changed();
    return true;
  }

  async #read(runs: string[], sparks: boolean): Promise<void> {
    const { rows } = await this.source.ask({ kind: "fetch", runs, sparks });
    this.#keep(rows?.rows ?? [], sparks);
    for (const run of runs) this.#old.delete(run);
  }

  #keep(rows: readonly RunRow[], sparks: boolean): void {
    for (const row of rows) {
      this.#rows.delete(row.id); // what came last is thrown away last
      this.#rows.set(row.id, row);
      this.#old.delete(row.id);
      if (sparks) this.#plain.delete(row.id);
      else this.#plain.add(row.id);
    }
    for (const run of this.#rows.keys()) {
      if (this.#rows.size <= MOST_KEPT) break;
      this.#rows.delete(run);
      this.#plain.delete(run);
    }
  }

  async #sum(summing: Asked<Sum>): Promise<void> {
    this.#summed = JSON.stringify(summing);
    const turn = this.#turn;
    const { sums } = await this.source.ask({ kind: "sum", ...summing });
    if (turn === this.#turn && sums) this.#sums = sums;
  }
}

function measuredOf(column: Column, found: Summed | undefined): Measured | null {
  if (!found || found.mean === null || (column.kind !== "last" && column.kind !== "best")) return null;
  return { known: found.known, mean: found.mean, half: found.half };
}

function aggregateOf(column: Column, found: Summed | undefined, runs: number): Aggregate {
  if (column.kind === "name") return { text: `${runs} run${runs === 1 ? "" : "s"}`, title: "", key: runs };
  if (!found) return { text: "", title: "", key: undefined };
  switch (column.kind) {
    case "last":
    case "best":
    case "total":
    case "duration":
      return meanTold(column, found);
    case "created":
      return {
        text: found.high === null ? "" : formatMoment(found.high),
        title: "the newest of them",
        key: found.high ?? undefined,
      };
    default: {
      const texts = found.values.map(formatScalar);
      if (found.kinds === 1) return { text: texts[0] ?? "", title: "", key: texts[0] };
      return column.kind === "status"
        ? { text: texts.join(", "), title: texts.join(", "), key: texts.join(", ") }
        : valuesTold(texts, found.kinds);
    }
  }
}
