import { expect, test } from "vitest";
import type { RunRow, TableOptions } from "../src/contract.ts";
import {
  bestRuns,
  type Column,
  columnsOf,
  constantOf,
  headsOf,
  leadingFirst,
  startsWithDiffering,
} from "../src/ui/table/columns.ts";
import { termOf } from "../src/ui/table/condition.ts";
import { toMarkdown, toTsv } from "../src/ui/table/copy.ts";
import { aggregateOf } from "../src/ui/table/grouping.ts";
import { arranged, showColumn, UNTOUCHED } from "../src/ui/table/options.ts";
import { metric, param, run } from "./rows.ts";

const ids = (rows: RunRow[]): string[] => columnsOf(headsOf(rows)).map((column) => column.id);

test("columns are what the runs have: parameters and metrics of any of them, tags only if there are some", () => {
  const rows = [
    run({ id: "1", params: { lr: param(0.1) }, metrics: { "val/acc": metric({ goal: "max" }) } }),
    run({ id: "2", params: { hidden: param(64) }, metrics: { norm: metric({ goal: "none", best: null }) } }),
  ];
  expect(ids(rows)).toEqual([
    "select",
    "name",
    "status",
    "params.lr",
    "params.hidden",
    "metrics.val/acc",
    "best.val/acc",
    "metrics.norm",
    "duration",
    "created",
  ]);
  expect(ids([run({ id: "1", tags: ["mlp"] })])).toContain("tags");
});

test("what runs came of has a column where they differ in it, and how often one went on", () => {
  const rows = [
    run({ id: "1", parent: "0", came_of: "baseline @ 500" }),
    run({ id: "2", resumed: 2 }),
    run({ id: "3", parent: "0", came_of: "baseline" }),
  ];
  const columns = new Map(columnsOf(headsOf(rows)).map((column) => [column.id, column]));
  expect(rows.map((row) => columns.get("parent")?.text(row))).toEqual(["baseline @ 500", "–", "baseline"]);
  expect(rows.map((row) => columns.get("resumed")?.text(row))).toEqual(["–", "2", "–"]);
  expect(ids([run({ id: "1", came_of: "a sweep" }), run({ id: "2", came_of: "a sweep" })])).not.toContain("parent");
});

test("how complete a run is has a column where a project asks for something, sorted by the share", () => {
  const rows = [
    run({ id: "1", complete: { met: 4, of: 5, text: "4 of 5: no note" } }),
    run({ id: "2" }),
    run({ id: "3", complete: { met: 11, of: 12, text: "11 of 12: no tag" } }),
  ];
  const complete = columnsOf(headsOf(rows)).find((column) => column.id === "complete");
  expect(rows.map((row) => complete?.text(row))).toEqual(["4 of 5: no note", "–", "11 of 12: no tag"]);
  expect(rows.map((row) => complete?.key(row))).toEqual([0.8, undefined, 11 / 12]);
  expect(ids([run({ id: "1" })])).not.toContain("complete");
});

test("a parameter is numeric only when all its values are, and names of Object's own are only names", () => {
  const rows = [
    run({ id: "1", params: { lr: param(1), mode: param("a"), constructor: param(1) } }),
    run({ id: "2", params: { lr: param(null), mode: param(2) } }),
  ];
  const columns = new Map(columnsOf(headsOf(rows)).map((column) => [column.id, column]));
  expect(columns.get("params.lr")?.numeric).toBe(true);
  expect(columns.get("params.mode")?.numeric).toBe(false);
  expect(columns.get("params.lr")?.text(rows[1] as RunRow)).toBe("None");
  expect(columns.get("params.constructor")?.text(rows[1] as RunRow)).toBe("–");
});

test("only-differing leaves out what all runs share and keeps who, when and how long", () => {
  const rows = [
    run({ id: "1", params: { lr: param(0.1), epochs: param(20), extra: param(1) } }),
    run({ id: "2", params: { lr: param(0.2), epochs: param(20) } }),
  ];
  const kept = (list: RunRow[]): string[] => {
    const columns = columnsOf(headsOf(list));
    const shown = arranged(columns, { ...UNTOUCHED, differing: true }, constantOf(columns, list), 0).columns;
    return shown.map((column) => column.id);
  };
  expect(kept(rows)).toEqual(["select", "name", "status", "params.lr", "params.extra", "duration", "created"]);
  expect(kept(rows.slice(0, 1))).toContain("params.epochs");
});

test("up to twelve columns all are shown at first, beyond only those that differ", () => {
  const many = (n: number): RunRow[] => {
    const params = Object.fromEntries(Array.from({ length: n }, (_, i) => [`p${i}`, param(i)]));
    return [run({ id: "1", params })];
  };
  expect(startsWithDiffering(columnsOf(headsOf(many(8))))).toBe(false);
  expect(startsWithDiffering(columnsOf(headsOf(many(9))))).toBe(true);
});

test("the best follows the goal, never a NaN, and nobody is best when all tie", () => {
  const with_ = (id: string, goal: "min" | "max" | "none", best: number | "nan" | null): RunRow =>
    run({ id, metrics: { m: metric({ goal, best }) } });
  expect([...bestRuns([with_("1", "min", 3), with_("2", "min", 1), with_("3", "min", "nan")], "m")]).toEqual(["2"]);
  expect([...bestRuns([with_("1", "max", 3), with_("2", "max", 1), run({ id: "3" })], "m")]).toEqual(["1"]);
  expect([...bestRuns([with_("1", "max", 3), with_("2", "max", 3)], "m")]).toEqual([]);
  expect([...bestRuns([with_("1", "none", null), with_("2", "none", null)], "m")]).toEqual([]);
});

test("TSV has full precision and one line a run; Markdown says what the screen says, bars escaped", () => {
  const rows = [
    run({
      id: "1",
      name: "a|b\tc\nd",
      params: { lr: param(0.001_234_567) },
      metrics: { loss: metric({ last: "nan", best: 0.123_456_789 }) },
    }),
  ];
  const columns = columnsOf(headsOf(rows)).filter((column) => column.kind !== "created");
  expect(toTsv(columns, rows).split("\n")).toEqual([
    "name\tstatus\tlr\tloss\tbest.loss\tduration",
    "a|b c d\tfinished\t0.001234567\tnan\t0.123456789\t12",
  ]);
  expect(toMarkdown(columns, rows).split("\n")).toEqual([
    "| name | status | lr | loss | best.loss | duration |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
    "| a\\|b c d | finished | 0.001235 | nan | 0.1235 | 12 s |",
  ]);
});

test("what runs used of the machine is a column once somebody chooses it", () => {
  const rows = [
    run({ id: "a", totals: { "sys/rss_peak": 2e9, "sys/cpu_s": 90, "energy/kwh": 0.25 } }),
    run({ id: "b", totals: { "sys/rss_peak": 1.5e9 } }),
  ];
  const columns = columnsOf(headsOf(rows));
  const shown = (options: Partial<TableOptions>): string[] =>
    arranged(columns, { ...UNTOUCHED, ...options }, constantOf(columns, rows), 0).columns.map((column) => column.id);
  expect(columns.map((column) => column.id).filter((id) => id.startsWith("summary."))).toEqual([
    "summary.sys/cpu_s",
    "summary.sys/rss_peak",
    "summary.energy/kwh",
  ]);
  expect(shown({}).some((id) => id.startsWith("summary."))).toBe(false);
  const chosen = showColumn(UNTOUCHED, columns, "summary.sys/rss_peak", true);
  expect(shown(chosen)).toEqual([...shown({}).slice(0, -2), "summary.sys/rss_peak", "duration", "created"]);
  const memory = columns.find((column) => column.id === "summary.sys/rss_peak");
  expect(rows.map((row) => memory?.text(row))).toEqual(["2 GB", "1.5 GB"]);
  expect(aggregateOf(memory as Column, rows).text).toBe("1.75 GB");
  expect(termOf(memory as Column)).toBe('summary["sys/rss_peak"]');
  expect(columns.find((column) => column.id === "summary.energy/kwh")?.text(rows[1] as RunRow)).toBe("–");
});

test("the best of each metric leads, then what was set differently; who chose columns keeps their order", () => {
  const metrics = { epochs: metric({ last: 5, goal: "none" }) };
  const rows = [
    run({
      id: "a",
      params: { depth: param(3), lr: param(0.1) },
      metrics: { ...metrics, acc: metric({ last: 0.8, best: 0.9, goal: "max" }) },
    }),
    run({ id: "b", params: { depth: param(3), lr: param(0.2) }, metrics }),
  ];
  const columns = columnsOf(headsOf(rows));
  const ordered = leadingFirst(columns, constantOf(columns, rows));
  const order = ["select", "name", "status", "best.acc", "params.lr", "metrics.acc", "params.depth", "metrics.epochs"];
  expect(ordered.map(({ id }) => id)).toEqual([...order, "duration", "created"]);
  const chosen = ["params.depth", "metrics.acc"];
  const shown = arranged(ordered, { ...UNTOUCHED, columns: chosen }, new Set(), 0).columns;
  expect(shown.map(({ id }) => id)).toEqual(["select", "name", ...chosen]);
});
