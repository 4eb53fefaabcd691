import { expect, test } from "vitest";
import { columnsOf, headsOf } from "../src/ui/table/columns.ts";
import { WordFilter } from "../src/ui/table/filter.ts";
import { ordered } from "../src/ui/table/order.ts";
import { metric, param, run } from "./rows.ts";

test("10,000 runs x 60 columns: every run comes back from sorting and filtering; the times are only printed", () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => {
    const params = Array.from({ length: 44 }, (_, p) => [`p${p}`, param((i * 7919 + p) % 1009)]);
    const metrics = Array.from({ length: 6 }, (_, m) => [`m${m}`, metric({ last: i % 50 ? (i * 31) % 997 : "nan" })]);
    return run({ id: `r${i}`, params: Object.fromEntries(params), metrics: Object.fromEntries(metrics) });
  });
  const times: string[] = [];
  const timed = <Result>(what: string, work: () => Result): Result => {
    const from = performance.now();
    const result = work();
    times.push(`${what} ${(performance.now() - from).toFixed(0)} ms`);
    return result;
  };
  const columns = timed("columns", () => columnsOf(headsOf(rows)));
  const byId = new Map(columns.map((column) => [column.id, column]));
  const sort = (by: string[]): typeof rows => ordered(rows, by, (row, id) => byId.get(id)?.key(row));
  const words = new WordFilter();
  expect(columns).toHaveLength(61);
  expect(timed("sort one", () => sort(["-metrics.m1"]))).toHaveLength(10_000);
  expect(timed("sort two", () => sort(["params.p3", "-metrics.m1"]))).toHaveLength(10_000);
  expect(timed("first filter", () => words.rows(rows, "r99 digits"))).toHaveLength(111);
  expect(timed("next filter", () => words.rows(rows, "r999 digits"))).toHaveLength(11);
  console.info(`10,000 x ${columns.length}: ${times.join(", ")}`);
});
