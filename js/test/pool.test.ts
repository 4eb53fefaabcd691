import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ChartOptions } from "../src/contract.ts";
import { pooled, student } from "../src/ui/plot/pool.ts";

type Numbers = (number | null)[];
interface Case {
  lines: { x: number[]; y: Numbers }[];
  how: ChartOptions["spread"];
  x: number[];
  y: Numbers;
  low: Numbers;
  high: Numbers;
}
const told: { pools: Case[] } = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));
const digits = (values: readonly (number | null)[]): string[] =>
  values.map((value) => (value ?? Number.NaN).toFixed(9));

test.each(told.pools)("a mean with its $how is what Python draws in the saved picture", (one) => {
  const lines = one.lines.map(({ x, y }) => ({ x, y: y.map((value) => value ?? Number.NaN), marks: [], unshown: 0 }));
  const { mean, spread } = pooled(lines, one.how);
  expect(mean.x).toEqual(one.x);
  expect(digits(mean.y)).toEqual(digits(one.y));
  expect(digits(spread.low)).toEqual(digits(one.low));
  expect(digits(spread.high)).toEqual(digits(one.high));
});

test("the interval of three repeats is that of Student's t", () => {
  const at = (y: number) => ({ x: [0], y: [y], marks: [], unshown: 0 });
  const { mean, spread } = pooled([at(1), at(2), at(3)], "interval");
  expect(mean.y).toEqual([2]);
  expect((spread.high[0] ?? 0) - 2).toBeCloseTo(4.303 / Math.sqrt(3), 6);
  expect(student(30)).toBeCloseTo(2.042, 2);
  expect(student(1000)).toBeCloseTo(1.962, 2);
});

test("a mean of many long lines has a bounded number of places, both ends among them", () => {
  const line = (shift: number) => {
    const x = Array.from({ length: 3000 }, (_, i) => i + shift);
    return { x, y: x.map(() => shift), marks: [shift], unshown: 1 };
  };
  const { mean } = pooled([line(0), line(0.5)], "range");
  expect([mean.x.length, mean.x[0], mean.x.at(-1)]).toEqual([1000, 0, 2999.5]);
  expect([mean.marks, mean.unshown]).toEqual([[0, 0.5], 2]);
});
