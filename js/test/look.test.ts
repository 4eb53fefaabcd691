import { expect, test } from "vitest";
import { type Bend, scale } from "../src/ui/plot/scale.ts";
import {
  logTick,
  logTicks,
  symlogTicks,
  xIncrements,
  xTick,
  xTicks,
  yRange,
  yTick,
  yTicks,
} from "../src/ui/plot/ticks.ts";
import { DASHES, PALETTE, runColours } from "../src/ui/theme.ts";

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
  for (let first = 0; first < 40; first++) {
    const few = runColours(Array.from({ length: 4 }, (_, i) => `01K${first + i}`));
    expect([...few.values()].sort(), "orange and ochre are for the fifth").toEqual([0, 1, 2, 3]);
  }
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
  const time = (values: number[], by: number): string[] => values.map((value) => xTick("relative", value, by));
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
  const [none, some] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  expect(yRange(none, some, "linear")).toEqual([0, 1]);
  expect(yRange(none, some, "log")).toEqual([0.1, 1]);
  expect(yRange(0, 10, "linear")).toEqual([0, 10.6]);
  for (const bend of ["linear", "log", "symlog"] as const) {
    const [low, high] = yRange(3, 3, bend);
    expect(low).toBeLessThan(high);
  }
  expect(yRange(0, 0, "linear")).toEqual([-0, 1].map(Math.abs));
});

test.each([
  ["linear", -3, 8],
  ["log", 1e-4, 1e3],
  ["symlog", -20, 4000],
] as [Bend, number, number][])("a %s axis finds its values again, and keeps their order", (bend, min, max) => {
  const across = scale(bend, min, max);
  const places = [0, 0.2, 0.5, 0.9, 1];
  for (const place of places) expect(across.place(across.value(place))).toBeCloseTo(place, 9);
  expect([across.place(min), across.place(max)]).toEqual([0, 1]);
  const ticks = yTicks(across, 140);
  expect(ticks.length).toBeGreaterThanOrEqual(2);
  expect(ticks.length).toBeLessThanOrEqual(9);
  const values = ticks.map(({ value }) => value);
  expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
  expect(values.every((value) => value >= min && value <= max)).toBe(true);
});

test("a symmetric logarithm has zero in its middle and powers on both sides", () => {
  expect(symlogTicks(-1000, 1000)).toEqual([-1000, -10, 0, 10, 1000]);
  expect(symlogTicks(0, 50)[0]).toBe(0);
  expect(scale("symlog", -7, 7).place(0)).toBe(0.5);
});

test("ticks of x are as many as there is room for", () => {
  for (const width of [100, 300, 900]) {
    const ticks = xTicks("step", 0, 9_999, width);
    expect(ticks.length).toBeLessThanOrEqual(width / 46 + 1);
    expect(ticks.length).toBeGreaterThan(1);
  }
  expect(xTicks("step", 0, 199, 300).map(({ word }) => word)).toEqual(["0", "50", "100", "150"]);
  expect(xTicks("relative", 30, 150, 120).map(({ word }) => word)).toEqual(["1m", "2m"]);
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
