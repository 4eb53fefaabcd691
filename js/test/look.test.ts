import { expect, test } from "vitest";
import { DASHES, PALETTE, runColours } from "../src/ui/theme.ts";
import { logTick, logTicks, xIncrements, xTick, yRange, yTick } from "../src/ui/ticks.ts";

function luminance(colour: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

test.each([
  ["light", "#ffffff"],
  ["dark", "#111111"],
  ["dark", "#1e1e1e"],
] as const)("every line has 3:1 on the %s ground %s", (theme, ground) => {
  for (const colour of PALETTE[theme]) expect([colour, contrast(colour, ground) >= 3]).toEqual([colour, true]);
});

test("runs have colours of their own while there are any, and the same whoever else is shown later", () => {
  const runs = Array.from({ length: 11 }, (_, i) => `01J${i}`);
  const colours = runColours(runs);
  expect(new Set(runs.slice(0, 8).map((run) => colours.get(run))).size).toBe(8);
  expect(colours.size).toBe(11);
  expect(runColours(runs.slice(0, 3))).toEqual(new Map([...colours].slice(0, 3)));
  expect(new Set(DASHES.map(String)).size).toBe(DASHES.length);
});

test("ticks of x are steps as they are, shortened where they are long", () => {
  const step = (values: number[], by: number): string[] => values.map((value) => xTick("step", value, by));
  expect(step([0, 50, 100], 50)).toEqual(["0", "50", "100"]);
  expect(step([0, 5000, 20_000], 5000)).toEqual(["0", "5000", "20k"]);
  expect(step([12_345, 12_346], 1)).toEqual(["12345", "12346"]);
  expect(step([0.25, 0.5], 0.25)).toEqual(["0.25", "0.50"]);
  expect(xIncrements("step", 3)[0]).toBe(1);
  expect(xIncrements("step", 0.5)).toContain(0.1);
});

test("ticks of time are clock words of one grain", () => {
  const time = (values: number[], by: number): string[] => values.map((value) => xTick("time", value, by));
  expect(time([0, 30, 60, 90], 30)).toEqual(["0", "30s", "1:00", "1:30"]);
  expect(time([0, 1800, 3600, 5400], 1800)).toEqual(["0", "30m", "1h00", "1h30"]);
  expect(time([0, 7200], 3600)).toEqual(["0", "2h"]);
  expect(time([86_400], 86_400)).toEqual(["1d"]);
});

test("ticks of y have the digits of their distance", () => {
  expect([0, 0.25, 0.5].map((value) => yTick(value, 0.25))).toEqual(["0", "0.25", "0.50"]);
  expect([1e-5, 2e6].map((value) => yTick(value, value))).toEqual(["1e-5", "2e6"]);
  expect([0.2, 1, 30].map(logTick)).toEqual(["0.2", "1", "30"]);
});

test("a y axis is never empty, and air does not pretend negative values", () => {
  expect(yRange(null, null, false)).toEqual([0, 1]);
  expect(yRange(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true)).toEqual([0.1, 1]);
  expect(yRange(0, 10, false)).toEqual([0, 10.6]);
  for (const [low, high] of [yRange(3, 3, false), yRange(3, 3, true), yRange(0, 0, false), yRange(-2, -2, false)]) {
    expect(low).toBeLessThan(high);
  }
});

test.each([
  [1e-6, 10],
  [0.5, 90],
  [0.2, 0.9],
  [0.95, 0.99],
])("a logarithmic axis from %d to %d has ticks, few and inside", (min, max) => {
  const ticks = logTicks(min, max);
  expect(ticks.length).toBeGreaterThanOrEqual(2);
  expect(ticks.length).toBeLessThanOrEqual(9);
  for (const tick of ticks) expect(tick >= min && tick <= max).toBe(true);
  expect(ticks).toEqual([...new Set(ticks)].sort((a, b) => a - b));
});
