import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Goal } from "../src/contract.ts";
import { type Column, columnsOf, headsOf } from "../src/ui/table/columns.ts";
import { BUT_SEEDS, isGroup } from "../src/ui/table/grouping.ts";
import { meanInterval } from "../src/ui/table/interval.ts";
import { TableModel } from "../src/ui/table/model.ts";
import { UNTOUCHED } from "../src/ui/table/options.ts";
import { judged, verdictTold } from "../src/ui/table/verdict.ts";
import { metric, param, run } from "./rows.ts";

interface Case {
  first: number[];
  second: number[];
  goal: Goal;
  by: number;
  low: number;
  high: number;
  count: string;
  word: string;
}
const { gaps }: { gaps: Case[] } = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));
const measured = (values: number[]) => ({ known: values.length, ...meanInterval(values) });

test.each(gaps)("two groups ($count) are judged as Python judges them: $word", ({ first, second, goal, ...told }) => {
  const found = judged(goal, measured(first), measured(second));
  expect([found?.word, found?.count]).toEqual([told.word, told.count]);
  for (const end of ["by", "low", "high"] as const) expect(found?.[end]).toBeCloseTo(told[end], 9);
});

test("one run, or repeats that never vary, are no ground for a verdict", () => {
  expect(judged("max", measured([1]), measured([1, 2, 3]))).toBeNull();
  expect(judged("max", measured([1, 1]), measured([2, 2]))).toBeNull();
});

test("in words: an arrow for better, a hollow one for worse, neither where nothing is sure", () => {
  const base = measured([0.9, 0.91, 0.92]);
  const told = (goal: Goal, values: number[]) => {
    const verdict = judged(goal, base, measured(values));
    if (!verdict) throw new Error("no verdict");
    return verdictTold(verdict);
  };
  expect(told("max", [0.95, 0.96, 0.97]).text).toBe("▲ better (n=3)");
  expect(told("min", [0.95, 0.96, 0.97]).text).toBe("△ worse (n=3)");
  expect(told("max", [0.89, 0.92, 0.93]).text).toBe("≈ not distinguishable (n=3)");
  expect(told("max", [0.95, 0.96, 0.97]).title).toMatch(/^better by 0\.05000, 95% interval 0\.02733 to 0\.07267/);
});

test("groups of a table are held against the group of the baseline, the baseline among its own", () => {
  const rows = [0.1, 0.01].flatMap((lr) =>
    [0, 1, 2].map((seed) => {
      const best = (lr === 0.1 ? 0.9 : 0.95) + seed / 100;
      const metrics = { "val/acc": metric({ goal: "max", best, last: best }) };
      return run({ id: `${lr}-${seed}`, params: { lr: param(lr), seed: param(seed) }, metrics });
    }),
  );
  const model = new TableModel({ ...UNTOUCHED, group: [BUT_SEEDS], baseline: "0.1-0" });
  model.read(rows);
  const seen = model.seen(false);
  const column = columnsOf(headsOf(rows)).find((one) => one.id === "best.val/acc") as Column;
  expect(seen.base?.measured(column)).toMatchObject({ known: 3, mean: expect.closeTo(0.91, 10) });
  const groups = seen.entries.filter(isGroup);
  expect(groups.map((group) => group.id === seen.base?.id)).toContain(true);
  const other = groups.find((group) => group.id !== seen.base?.id)?.measured(column);
  if (!other || !seen.base) throw new Error("no group");
  expect(judged("max", seen.base.measured(column) ?? other, other)?.word).toBe("better");
  model.options = { ...model.options, group: [] };
  expect(model.seen(false).base).toBeNull();
});
