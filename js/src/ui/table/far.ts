import { told } from "../../assert.ts";
import type { Extent, Head, List, Listing, RunRow, Scalar, Sum, Summed, Sums } from "../../contract.ts";
import { bytes } from "../../saved.ts";
import type { Asked, Source } from "../../source.ts";
import { formatMoment, formatScalar } from "../format.ts";
import type { Column } from "./columns.ts";
import { type Aggregate, type Ghost, type Group, groupId, meanTold, titleOf, valuesTold } from "./grouping.ts";
import type { Measured } from "./verdict.ts";

export type Asking = Omit<Asked<List>, "stamp" | "first" | "shown" | "columns">;

/** Which runs there are to see, in which order. */
interface Listed {
  runs: string[];
  groups: { values: Scalar[]; runs: string[] }[] | null;
  heads: readonly Head[];
  hints: readonly string[];
}

/** What is in view, and what is just outside. */
interface Wanted {
  runs: readonly string[];
  shown: readonly string[]; // columns
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
  listing: Listed | null = null;
  #sums: Sums = NO_SUMS;
  #summed = "";
  #extent: Extent | null = null;
  readonly #told = new Map<string, Set<string>>(); // columns of the rows here that do not tell everything
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
  #wanted: Wanted = { runs: [], shown: [], columns: [], curves: false };

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
      this.#whole(row);
      this.#old.delete(row.id);
    }
  }

  /** These rows say something else now. */
  amend(rows: readonly RunRow[]): void {
    for (const row of rows) if (this.#rows.has(row.id)) this.#whole(row);
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
    const shown = [...this.#wanted.shown];
    const stamp = this.#extent?.stamp ?? "";
    const { listing, rows, sums } = await this.source.ask({ kind: "list", ...asking, stamp, first, shown, columns });
    if (mine !== this.#turn || this.signal.aborted) return;
    this.#listed.add(question);
    this.listing = this.#placed(told(listing));
    this.#keep(rows?.rows ?? [], shown, false);
    this.#sums = sums ?? NO_SUMS;
    this.#summed = sums ? JSON.stringify({ ...asking, columns }) : "";
    this.changed();
  }

  #placed({ extent, places, groups, hints }: Listing): Listed {
    this.#extent = told(extent ?? this.#extent);
    const all = this.#extent.runs;
    const runs = Array.from(new Uint32Array(bytes(places)), (place) => all[place] as string);
    let end = 0;
    // the same heads as before: no column is made anew for another order
    return {
      runs,
      groups: groups
        ? groups.map(({ values, size }) => {
            end += size;
            return { values, runs: runs.slice(end - size, end) };
          })
        : null,
      heads: this.#extent.heads,
      hints,
    };
  }

  /** Whether a row is here that does not tell this column. */
  lacks(run: string, id: string): boolean {
    const told = this.#told.get(run);
    return told !== undefined && /^(params|metrics|best)\./.test(id) && !told.has(familyOf(id));
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

  /** Words are looked for soon. */
  async learn(): Promise<void> {
    await this.source.ask({ kind: "learn" }).catch(() => {}); // the first word only takes longer
  }

  /** These rows, whether they are in view or not. */
  async hold(runs: readonly string[]): Promise<void> {
    const missing = runs.filter((run) => !this.#rows.has(run)).slice(0, MOST_ASKED);
    if (missing.length > 0) await this.#read(missing, this.#wanted.shown, false);
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
    const { runs, shown, columns, curves } = this.#wanted;
    const missing = runs.filter((run) => !this.#rows.has(run) || this.#old.has(run)).slice(0, MOST_ASKED);
    const lacking = shown.filter((id) => runs.some((run) => this.lacks(run, id)));
    const plain = runs.filter((run) => this.#plain.has(run)).slice(0, MOST_ASKED);
    const summing: Asked<Sum> = { ...this.#asked, columns: [...columns] };
    if (missing.length > 0) await this.#read(missing, shown, false);
    else if (lacking.length > 0) await this.#read(runs.slice(0, MOST_ASKED), lacking, false);
    else if (this.listing && columns.length > 0 && JSON.stringify(summing) !== this.#summed) await this.#sum(summing);
    else if (curves && plain.length > 0) await this.#read(plain, shown.filter(isCurve), true);
    else return false;
    if (!this.signal.aborted) this.changed();
    return true;
  }

  async #read(runs: readonly string[], columns: readonly string[], sparks: boolean): Promise<void> {
    const { rows } = await this.source.ask({ kind: "fetch", runs: [...runs], sparks, columns: [...columns] });
    this.#keep(rows?.rows ?? [], columns, sparks);
    for (const run of runs) this.#old.delete(run);
  }

  #keep(rows: readonly RunRow[], columns: readonly string[], sparks: boolean): void {
    for (const row of rows) {
      const { id } = row;
      const known = this.#old.has(id) ? undefined : this.#rows.get(id);
      const told = new Set(known && this.#told.get(id));
      for (const column of columns) told.add(familyOf(column));
      this.#rows.delete(id); // what came last is thrown away last
      this.#rows.set(id, known ? joined(known, row) : row);
      if (!known || this.#told.has(id)) this.#told.set(id, told);
      this.#old.delete(id);
      if (sparks) this.#plain.delete(id);
      else this.#plain.add(id);
    }
    for (const run of this.#rows.keys()) {
      if (this.#rows.size <= MOST_KEPT) break;
      for (const kept of [this.#rows, this.#told, this.#plain]) kept.delete(run);
    }
  }

  /** A row that tells everything. */
  #whole(row: RunRow): void {
    this.#rows.set(row.id, row);
    this.#told.delete(row.id);
  }

  async #sum(summing: Asked<Sum>): Promise<void> {
    this.#summed = JSON.stringify(summing);
    const turn = this.#turn;
    const { sums } = await this.source.ask({ kind: "sum", ...summing });
    if (turn === this.#turn && sums) this.#sums = sums;
  }
}

/** Whether a column shows curves. */
export const isCurve = (id: string): boolean => id.startsWith("metrics.");

/** The last and the best value of a metric are told together. */
const familyOf = (id: string): string => id.replace(/^best\./, "metrics.");

/** A row with what more is told of the run; a curve that is here stays where none comes. */
function joined(known: RunRow, more: RunRow): RunRow {
  const metrics = { ...known.metrics };
  for (const [name, summary] of Object.entries(more.metrics)) {
    const { spark = [] } = metrics[name] ?? {};
    metrics[name] = summary.spark.length > 0 ? summary : { ...summary, spark };
  }
  return { ...more, params: { ...known.params, ...more.params }, metrics };
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
