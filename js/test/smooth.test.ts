import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { partsOf, rank, standing } from "../src/ui/names.ts";
import { smooth } from "../src/ui/plot/smooth.ts";

type Case = { x: number[]; y: (number | null)[]; how: "ema" | "time" | "median"; weight: number; logged: number };
type Told = { smooth: (Case & { out: (number | null)[] })[]; names: [string, string, string, number][] };
const told: Told = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));
const numbers = (values: (number | null)[]): number[] => values.map((value) => value ?? Number.NaN);

test.each(told.smooth)("$how at $weight is what Python draws in the saved picture", (one) => {
  const found = smooth({ x: one.x, y: numbers(one.y) }, one.how, one.weight, one.logged);
  const digits = (value: number | null): string => (value ?? Number.NaN).toFixed(9);
  expect(found.map(digits)).toEqual(one.out.map(digits));
});

test("a constant stays what it is, and one spike does not move a running median", () => {
  const x = Array.from({ length: 30 }, (_, i) => i * i);
  for (const how of ["ema", "time", "median"] as const) {
    const found = smooth({ x, y: x.map(() => 7) }, how, 0.9, 30);
    for (const value of found) expect(value).toBeCloseTo(7, 12);
  }
  const spiked = x.map((_, i) => (i === 12 ? 1e6 : 1));
  expect(smooth({ x, y: spiked }, "median", 0.5, 30)).toEqual(x.map(() => 1));
});

test("a thinned line is smoothed as if all of its points were there", () => {
  const x = Array.from({ length: 4000 }, (_, i) => i);
  const y = x.map((i) => (i < 2000 ? 0 : 1));
  const all = smooth({ x, y }, "ema", 0.99, 4000);
  const few = x.filter((i) => i % 10 === 0);
  const thin = smooth({ x: few, y: few.map((i) => y[i] ?? 0) }, "ema", 0.99, 4000);
  for (const i of [2100, 2500, 3000]) expect(Math.abs((all[i] ?? 0) - (thin[i / 10] ?? 9))).toBeLessThan(0.06);
});

test.each(told.names)("%s is drawn in the plot %s", (metric, plot, split, stands) => {
  expect(partsOf(metric)).toMatchObject({ plot, split });
  expect(standing(metric)).toBe(stands);
});

test("a prefix is the first of several words; train comes before val before test", () => {
  expect(partsOf("sys/gpu/0/mem").prefix).toBe("sys");
  expect(partsOf("train/grad/norm")).toEqual({ plot: "grad/norm", split: "train", prefix: "grad" });
  expect(rank(["test", "validation", "Training", "val"])).toEqual(["Training", "validation", "val", "test"]);
});
