import type { Goal, Head, MetricSummary, ParamValue, RunRow } from "../../contract.ts";
import { formatBytes, formatDuration, formatMoment, formatReal, formatScalar, NOTHING, toNumber } from "../format.ts";
import type { SortKey } from "./order.ts";

export type ColumnKind =
  | "select"
  | "name"
  | "status"
  | "tags"
  | "note"
  | "fact"
  | "param"
  | "last"
  | "best"
  | "total"
  | "duration"
  | "created";

/** One column of the run table: what it is called, what it sorts by and what it says. */
export interface Column {
  id: string; // as in a query and in a frame: params.lr, metrics.val/loss, best.val/loss
  kind: ColumnKind;
  name: string; // the parameter or metric; "" elsewhere
  caption: string; // the small line above the title
  title: string;
  short?: string; // as its head has it, where the caption tells the rest
  numeric: boolean;
  goal: Goal;
  key(row: RunRow): SortKey;
  text(row: RunRow): string; // for people; also what Markdown gets
  raw(row: RunRow): string; // in full precision, for a spreadsheet
  spell?(value: number): string; // of a number with a unit
}

/** More columns than this and only those whose values differ are shown at first. */
export const MANY_COLUMNS = 12;

/** Every column these runs can fill: who, what was set, what came out, how long and when. */
export function headsOf(rows: readonly RunRow[]): Head[] {
  const head = (id: string, numeric = false, goal: Goal = "none"): Head => ({ id, numeric, goal, same: false });
  return [
    head("name"),
    head("status"),
    ...(rows.some((row) => row.tags.length > 0) ? [head("tags")] : []),
    ...(rows.some((row) => row.note) ? [head("notes")] : []),
    ...(rows.some((row) => row.complete) ? [head("complete", true)] : []),
    ...(new Set(rows.map((row) => row.came_of)).size > 1 ? [head("parent")] : []),
    ...(rows.some((row) => row.resumed > 0) ? [head("resumed", true)] : []),
    ...FACTS.filter((fact) => new Set(rows.map((row) => row[fact])).size > 1).map((fact) => head(fact)),
    ...namesOf(rows, (row) => row.params).map((name) => head(`params.${name}`, holdsNumbers(name, rows))),
    ...namesOf(rows, (row) => row.metrics).flatMap((name) => {
      const goal =
        rows.map((row) => own(row.metrics, name)?.goal ?? "none").find((found) => found !== "none") ?? "none";
      const last = head(`metrics.${name}`, true, goal);
      return goal === "none" ? [last] : [last, head(`best.${name}`, true, goal)];
    }),
    ...Object.keys(TOTALS)
      .filter((name) => rows.some((row) => totalOf(row, name) !== undefined))
      .map((name) => head(`summary.${name}`, true)),
    head("duration", true),
    head("created", true),
  ];
}

/** The columns with these heads, and the box that selects before them. */
export function columnsOf(heads: readonly Head[]): Column[] {
  return [
    plain(
      "select",
      () => undefined,
      () => "",
    ),
    ...heads.map(columnOf),
  ];
}

function columnOf(head: Head): Column {
  const [family, name] = /^(params|metrics|best|summary)\.(.+)$/s.exec(head.id)?.slice(1) ?? [];
  if (name !== undefined && family === "summary") return totalColumn(name, head);
  if (name !== undefined) return family === "params" ? paramColumn(name, head) : metricColumn(name, head);
  switch (head.id) {
    case "tags":
      return plain(
        "tags",
        (row) => row.tags.join(" ") || undefined,
        (row) => row.tags.join(", "),
      );
    case "notes":
      return named(
        "notes",
        "note",
        (row) => row.note || undefined,
        (row) => row.note.replaceAll("\n", " · "),
      );
    case "complete": {
      const share = ({ complete }: RunRow): number | undefined => (complete ? complete.met / complete.of : undefined);
      const text = ({ complete }: RunRow): string => complete?.text ?? NOTHING;
      return { ...named("complete", "fact", share, text), spell: (value) => `${Math.round(value * 100)} %` };
    }
    case "parent":
      return named(
        "parent",
        "fact",
        (row) => row.came_of ?? undefined,
        (row) => row.came_of ?? NOTHING,
      );
    case "resumed": {
      const times = (row: RunRow): string => (row.resumed > 0 ? String(row.resumed) : NOTHING);
      return { ...named("resumed", "fact", (row) => row.resumed || undefined, times), numeric: true };
    }
    case "duration":
      return {
        ...plain(
          "duration",
          (row) => row.duration ?? undefined,
          (row) => formatDuration(row.duration),
        ),
        ...secondsRaw,
      };
    case "created":
      return {
        ...plain(
          "created",
          (row) => row.created,
          (row) => formatMoment(row.created),
        ),
        numeric: true,
      };
    case "name":
    case "status": {
      const fact = head.id;
      return plain(
        fact,
        (row) => row[fact],
        (row) => row[fact],
      );
    }
    default: {
      const fact = head.id as (typeof FACTS)[number];
      return named(
        fact,
        "fact",
        (row) => row[fact] ?? undefined,
        (row) => row[fact] ?? NOTHING,
      );
    }
  }
}

/** The ids of the parameters and metrics in which no two of the runs differ. */
export function constantOf(columns: readonly Column[], rows: readonly RunRow[]): Set<string> {
  if (rows.length < 2) return new Set();
  const constant = columns.filter((column) => isMeasured(column) && !differs(column, rows));
  return new Set(constant.map((column) => column.id));
}

const MOST_LEADING = 4;

/**
 * What a reader looks for first: the best that came of each metric, what was set differently, how it went; what is
 * the same everywhere at the end. Columns about the run itself stay where they are.
 */
export function leadingFirst(columns: readonly Column[], constant: ReadonlySet<string>): Column[] {
  const start = columns.findIndex(isMeasured);
  if (start < 0) return [...columns];
  const measured = columns.filter(isMeasured);
  const differing = measured.filter(({ id }) => !constant.has(id));
  const bests = differing.filter(({ kind }) => kind === "best");
  const lasts = differing.filter(({ kind }) => kind === "last");
  const leading = (bests.length > 0 ? bests : lasts).slice(0, MOST_LEADING);
  const set = differing.filter(({ kind }) => kind === "param");
  const others = columns.filter((column) => !isMeasured(column));
  const order = new Set([...columns.slice(0, start), ...leading, ...set, ...differing, ...measured, ...others]);
  return [...order];
}

/** Whether showing everything at once would be too much. */
export function startsWithDiffering(columns: readonly Column[]): boolean {
  return columns.filter((column) => column.kind !== "select" && !isAside(column)).length > MANY_COLUMNS;
}

/** Whether a column is shown only where somebody chose it: what the machine did is seldom what tells runs apart. */
export const isAside = (column: Column): boolean => column.kind === "total";

/** The ids of the runs whose best value of this metric is the best of all; none when they all tie. */
export function bestRuns(rows: readonly RunRow[], metric: string): Set<string> {
  let best: number | undefined;
  let ids = new Set<string>();
  let known = 0;
  for (const row of rows) {
    const summary = row.metrics[metric];
    const value = summary && summary.goal !== "none" ? toNumber(summary.best) : undefined;
    if (value === undefined || Number.isNaN(value)) continue;
    known += 1;
    const better = best === undefined || (summary?.goal === "max" ? value > best : value < best);
    if (better) {
      best = value;
      ids = new Set();
    }
    if (value === best) ids.add(row.id);
  }
  return ids.size === known ? new Set() : ids;
}

/** The arrow of a direction, and how to say it. */
export function goalArrow(goal: MetricSummary["goal"]): { arrow: string; word: string } {
  if (goal === "none") return { arrow: "", word: "" };
  return goal === "max" ? { arrow: "↑", word: "higher is better" } : { arrow: "↓", word: "lower is better" };
}

const secondsRaw = {
  numeric: true,
  spell: formatDuration,
  raw: (row: RunRow): string => (row.duration === null ? "" : String(row.duration)),
};

const FACTS = ["group", "project", "notebook"] as const;

function plain(kind: ColumnKind, key: Column["key"], text: Column["text"]): Column {
  return named(kind, kind, key, text);
}

function named(id: string, kind: ColumnKind, key: Column["key"], text: Column["text"]): Column {
  return {
    id,
    kind,
    name: "",
    caption: "",
    title: kind === "select" ? "" : id,
    numeric: false,
    goal: "none",
    key,
    text,
    raw: text,
  };
}

function holdsNumbers(name: string, rows: readonly RunRow[]): boolean {
  const values = rows
    .map((row) => own(row.params, name)?.value)
    .filter((value) => value !== undefined && value !== null);
  return values.length > 0 && values.every((value) => typeof value === "number");
}

function paramColumn(name: string, { id, numeric }: Head): Column {
  const param = (row: RunRow): ParamValue | undefined => own(row.params, name);
  // of an argument the end tells more than whose it is: many heads begin alike
  const [owner = "", short = name] = /^(.+)\.([^.]+)$/s.exec(name)?.slice(1) ?? [];
  return {
    id,
    kind: "param",
    name,
    caption: owner || "param",
    title: name,
    short,
    goal: "none",
    numeric,
    key: (row) => {
      const value = param(row)?.value ?? undefined;
      return typeof value === "boolean" ? Number(value) : value;
    },
    text: (row) => {
      const found = param(row);
      return found ? formatScalar(found.value) : NOTHING;
    },
    raw: (row) => {
      const value = param(row)?.value;
      return value === undefined ? "" : typeof value === "number" ? String(value) : formatScalar(value);
    },
  };
}

function metricColumn(name: string, { id, goal }: Head): Column {
  const kind = id.startsWith("best.") ? "best" : "last";
  const metric = (row: RunRow): MetricSummary | undefined => own(row.metrics, name);
  return {
    id,
    kind,
    name,
    caption: kind === "best" ? `best ${goalArrow(goal).arrow}` : "last",
    title: name,
    numeric: true,
    goal,
    key: (row) => toNumber(metric(row)?.[kind] ?? null),
    text: (row) => formatReal(metric(row)?.[kind] ?? null),
    raw: (row) => String(metric(row)?.[kind] ?? ""),
  };
}

/** What a run used of its machine: how a column of it is called, and its values. */
const TOTALS: Record<string, { title: string; text(value: number): string }> = {
  "sys/cpu_s": { title: "processor time", text: formatDuration },
  "sys/rss_peak": { title: "memory at most", text: formatBytes },
  "sys/gpu_memory_peak": { title: "GPU memory at most", text: formatBytes },
  "energy/kwh": { title: "energy", text: (value) => `${formatReal(value)} kWh` },
  "cost/usd": { title: "cost", text: (value) => `${formatReal(value)} $` },
};

// a panel that an older celltrail saved has none
const totalOf = (row: RunRow, name: string): number | undefined => own(row.totals ?? {}, name);

function totalColumn(name: string, { id }: Head): Column {
  const { title = name, text = String } = own(TOTALS, name) ?? {};
  const value = (row: RunRow): number | undefined => totalOf(row, name);
  return {
    id,
    kind: "total",
    name,
    caption: "used",
    title,
    numeric: true,
    goal: "none",
    spell: text,
    key: value,
    text: (row) => {
      const found = value(row);
      return found === undefined ? NOTHING : text(found);
    },
    raw: (row) => String(value(row) ?? ""),
  };
}

function isMeasured(column: Column): boolean {
  return column.kind === "param" || column.kind === "last" || column.kind === "best";
}

function differs(column: Column, rows: readonly RunRow[]): boolean {
  const first = rows[0] && column.raw(rows[0]);
  return rows.some((row) => column.raw(row) !== first);
}

/** The names in the order in which the runs bring them; the newest run comes first and knows best. */
function namesOf(rows: readonly RunRow[], part: (row: RunRow) => Record<string, unknown>): string[] {
  const names = new Set<string>();
  for (const row of rows) for (const name of Object.keys(part(row))) names.add(name);
  return [...names];
}

/** A parameter may be called `constructor`. */
function own<Value>(record: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
