import type { MetricSummary, RunRow } from "../../contract.ts";
import { element, say } from "../element.ts";
import { formatAgo, formatDuration, formatMoment, formatReal, NOTHING } from "../format.ts";
import { statusChip } from "../status.ts";
import { type Delta, deltaOf, departs } from "./baseline.ts";
import { type Column, goalArrow } from "./columns.ts";
import type { GridColumn } from "./gridview.ts";
import { type Entry, type Group, isGhost, isGroup } from "./grouping.ts";
import type { Seen } from "./model.ts";
import { FIXED } from "./options.ts";
import { spark } from "./spark.ts";
import { judged, verdictTold } from "./verdict.ts";
import { shortError, Widths } from "./widths.ts";

/** What cells need to know besides their run. */
export interface Scene {
  now: number; // seconds since the epoch
  narrow: boolean;
  digit: number; // width of a digit in px
  baseline: RunRow | null;
  base: Group | null; // of the runs alike to the baseline
  folded: ReadonlySet<string>;
  widths: Readonly<Record<string, number>>; // set by hand
  grouped: boolean;
  judges: boolean; // whether groups are told from that of the baseline
  /** Whether what a run says in a column is still to come. */
  lacks(run: string, column: string): boolean;
  /** Why a run does not hold any more; "" where it does. */
  stale(run: string): string;
  anyStale: boolean;
}

/** Makes the columns of the grid: as wide as all runs need, so that filtering moves nothing. */
export class Painter {
  readonly #widths = new Widths();

  /** The runs are others now. */
  read(rows: readonly RunRow[]): void {
    this.#widths.read(rows);
  }

  /** The best of a column is the best of the runs shown. */
  columns({ columns, best: bestOf }: Pick<Seen, "columns" | "best">, scene: Scene): GridColumn<Entry>[] {
    return columns.map((column) => {
      let best: ReadonlySet<string> | undefined;
      const isBest = (row: RunRow): boolean => {
        best ??= column.kind === "best" ? bestOf(column) : new Set();
        return best.has(row.id);
      };
      const fixed = FIXED.includes(column.id);
      return {
        id: column.id,
        width: scene.widths[column.id] ?? this.#widths.of(column, scene),
        role: column.kind === "name" ? "rowheader" : "gridcell",
        right: column.numeric,
        sorts: column.kind !== "select",
        moves: !fixed,
        head: (cell) => paintHead(cell, column),
        fill: (cell, entry) => {
          if (isGroup(entry)) paintGroup(cell, column, entry, scene);
          else if (isGhost(entry) || scene.lacks(entry.id, column.id)) paintGhost(cell, column, entry.id);
          else paint(cell, column, entry, isBest(entry), scene);
        },
      };
    });
  }
}

function paintHead(cell: HTMLElement, column: Column): void {
  if (column.kind === "select") {
    cell.append(element("span", { class: "ct-unseen" }, "select"), box());
    return;
  }
  const word = column.kind === "best" || column.kind === "last" ? `${column.kind} value of ` : "";
  cell.title = `${word}${column.title}`;
  const caption = element("span", { class: "ct-caption" }, column.caption);
  const more = element(
    "span",
    { class: "ct-more", "aria-hidden": "true", title: "what can be done with this column" },
    "⋮",
  );
  cell.append(caption, element("span", { class: "ct-heading" }, column.short ?? column.title), more);
}

function paintGroup(cell: HTMLElement, column: Column, group: Group, scene: Scene): void {
  if (column.kind === "select") {
    cell.append(element("span", { class: "ct-unseen" }, `select ${group.title}`), box());
    return;
  }
  if (column.kind === "name") {
    const twisty = element(
      "span",
      { class: "ct-twisty", "aria-hidden": "true" },
      scene.folded.has(group.id) ? "▸" : "▾",
    );
    const size = element("span", { class: "ct-muted" }, `(${group.runs.length})`);
    cell.append(twisty, element("span", { class: "ct-text" }, group.title), size);
    cell.title = group.title;
    return;
  }
  const { text, title, key } = group.says(column);
  const shown = column.kind === "created" && typeof key === "number" ? formatAgo(key, scene.now) : text;
  cell.classList.toggle("ct-nothing", text === NOTHING);
  cell.append(element("span", { class: "ct-text" }, shown));
  cell.title = title || text;
  const [mine, base] = [group.measured(column), scene.base?.measured(column)];
  const verdict = mine && base && scene.base?.id !== group.id ? judged(column.goal, base, mine) : null;
  if (!verdict) return;
  const told = verdictTold(verdict);
  cell.title = `against ${scene.baseline?.name ?? "the baseline"} and its repeats: ${told.title}; ${cell.title}`;
  cell.append(element("span", { class: "ct-delta", "data-verdict": verdict.word }, told.text));
}

/** A row that is on its way, or what it says in a column that was not looked at before. */
function paintGhost(cell: HTMLElement, column: Column, run: string): void {
  if (column.kind === "select") cell.append(element("span", { class: "ct-unseen" }, `select ${run}`), box());
  if (column.kind === "name") cell.append(element("span", { class: "ct-text ct-muted" }, "…"));
}

function paint(cell: HTMLElement, column: Column, row: RunRow, isBest: boolean, scene: Scene): void {
  const { baseline } = scene;
  const delta = baseline && baseline.id !== row.id ? deltaOf(column, row, baseline) : null;
  cell.classList.toggle("ct-departs", baseline !== null && departs(column, row, baseline));
  switch (column.kind) {
    case "select":
      cell.append(element("span", { class: "ct-unseen" }, `select ${row.name}`), box());
      return;
    case "status":
      cell.append(statusChip(row.status));
      paintStanding(cell, row, scene.stale(row.id));
      if (shortError(row)) cell.append(element("span", { class: "ct-short" }, shortError(row)));
      return;
    case "tags":
      for (const tag of row.tags) cell.append(element("span", { class: "ct-tag" }, tag));
      cell.title = column.text(row);
      return;
    case "created":
      cell.append(element("span", { class: "ct-text" }, formatAgo(row.created, scene.now)));
      cell.title = formatMoment(row.created);
      return;
    case "last":
      paintLast(cell, row.metrics[column.name], column.text(row));
      break;
    case "duration":
      paintDuration(cell, column, row, scene);
      break;
    case "name":
      if (row.starred) cell.append(element("span", { class: "ct-star", role: "img", "aria-label": "starred" }, "★"));
      if (scene.grouped && baseline?.id !== row.id) cell.append(element("span", { class: "ct-indent" }));
      paintText(cell, column, row, false);
      if (baseline?.id === row.id) cell.append(element("span", { class: "ct-tag ct-isbase" }, "baseline"));
      break;
    default:
      if (column.id === "complete") paintComplete(cell, row);
      else paintText(cell, column, row, isBest);
  }
  if (delta) cell.append(deltaMark(delta, cell));
}

/** What else is to be known of a run besides how it ended. */
function paintStanding(cell: HTMLElement, row: RunRow, stale: string): void {
  const words = [stale && "stale", row.archived && "archived", row.deleted && "deleted"].filter(Boolean);
  for (const word of words) cell.append(element("span", { class: "ct-tag ct-isbase" }, `${word}`));
  if (stale) cell.title = `stale: ${stale}`;
}

/** How much a run has can always be read; what it lacks as far as there is room, and in full under the pointer. */
function paintComplete(cell: HTMLElement, { complete }: RunRow): void {
  cell.classList.toggle("ct-nothing", complete === null);
  const share = complete ? `${complete.met} of ${complete.of}` : NOTHING;
  const lacks = complete?.text.slice(share.length).replace(/^: /, "") ?? "";
  cell.append(element("span", {}, share), element("span", { class: "ct-text ct-muted" }, lacks));
  cell.title = complete?.text ?? "nothing is asked of its project";
}

/** The time of a run that goes on, which `tick` keeps going. */
function paintDuration(cell: HTMLElement, column: Column, row: RunRow, scene: Scene): void {
  if (row.status !== "running") {
    paintText(cell, column, row, false);
    return;
  }
  cell.append(
    element("span", { class: "ct-text ct-going", "data-since": row.created }, formatDuration(scene.now - row.created)),
  );
}

/** The durations of runs that go on, a second later. */
export function tick(grid: HTMLElement): void {
  const now = Date.now() / 1000;
  for (const going of grid.querySelectorAll<HTMLElement>(".ct-going")) {
    say(going, formatDuration(now - Number(going.dataset.since)));
  }
}

function deltaMark(delta: Delta, cell: HTMLElement): HTMLElement {
  cell.title = cell.title ? `${delta.title}; ${cell.title}` : delta.title;
  return element("span", { class: "ct-delta", "data-verdict": delta.verdict }, delta.text);
}

function paintText(cell: HTMLElement, column: Column, row: RunRow, isBest: boolean): void {
  const text = column.text(row);
  cell.classList.toggle("ct-nothing", text === NOTHING);
  const summary = column.kind === "best" ? row.metrics[column.name] : undefined;
  cell.append(element(isBest ? "strong" : "span", { class: "ct-text" }, text));
  if (summary && text !== NOTHING) cell.title = bestTitle(summary, isBest);
  else if (column.kind !== "duration" && column.kind !== "best") cell.title = text === NOTHING ? "not set" : text;
}

function paintLast(cell: HTMLElement, summary: MetricSummary | undefined, text: string): void {
  cell.classList.toggle("ct-nothing", summary === undefined);
  if (summary && summary.spark.length > 1) cell.append(spark(summary.spark));
  cell.append(element("span", { class: summary?.last === "nan" ? "ct-error" : "" }, text));
  if (!summary) return;
  const range = `${formatReal(summary.min)} to ${formatReal(summary.max)} over ${summary.count} points`;
  cell.title = summary.nan_count > 0 ? `${range}, ${summary.nan_count} of them nan` : range;
}

function bestTitle(summary: MetricSummary, isBest: boolean): string {
  const at = summary.best_step === null ? "" : ` at step ${summary.best_step}`;
  return `${formatReal(summary.best)}${at}; ${goalArrow(summary.goal).word}${isBest ? "; the best of the runs shown" : ""}`;
}

/** The box is a picture of `aria-selected`, which the row carries; a real check box would be a second place to Tab to. */
function box(): HTMLElement {
  return element("span", { class: "ct-box", "aria-hidden": "true" });
}
