import { expect, test } from "vitest";
import {
  formatAgo,
  formatDuration,
  formatMoment,
  formatReal,
  formatScalar,
  formatTyped,
  NOTHING,
  toNumber,
} from "../src/ui/format.ts";

test.each([
  [0.9234567, "0.9235"],
  [0.5, "0.5000"],
  [12.3456, "12.35"],
  [999.96, "1000"],
  [1234.5, "1235"],
  [99_999.4, "99999"],
  [123_456.7, "1.235e5"],
  [0.000_012_34, "1.234e-5"],
  [-0.25, "-0.2500"],
  [0, "0"],
  [42, "42"],
  [1_797, "1797"],
  [12_345_678, "1.235e7"],
  ["nan", "nan"],
  ["inf", "inf"],
  ["-inf", "-inf"],
  [null, NOTHING],
] as const)("a measured %s reads %s: four significant digits, zeros kept so that a column lines up", (value, text) => {
  expect(formatReal(value)).toBe(text);
});

test.each([
  [3e-3, "0.003"],
  [1e-5, "1e-5"],
  [0.1 + 0.2, "0.3"],
  [20, "20"],
  [100, "100"],
  [2_000_000, "2000000"],
  [1.5e-8, "1.5e-8"],
  [Number.POSITIVE_INFINITY, "inf"],
])("a typed %s reads %s: as short as it can be written", (value, text) => {
  expect(formatTyped(value)).toBe(text);
});

test("scalars are spelt as Python spells them", () => {
  expect([null, true, false, "adam", 0.1].map(formatScalar)).toEqual(["None", "True", "False", "adam", "0.1"]);
});

test.each([
  [0.0004, "0 ms"],
  [0.34, "340 ms"],
  [0.9996, "1.0 s"],
  [1.23, "1.2 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 m"],
  [200, "3 m 20 s"],
  [3599.6, "1 h"],
  [7500, "2 h 5 m"],
  [86_390, "1 d"],
  [273_600, "3 d 4 h"],
  [null, NOTHING],
  [Number.NaN, NOTHING],
])("%s seconds read %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("ages are relative for a week, then a date, with the year only where it is another one", () => {
  const now = new Date(2026, 10, 24, 12, 0, 0).getTime() / 1000;
  const ago = (seconds: number): string => formatAgo(now - seconds, now);
  expect([3, 60, 300, 3600 * 3, 86_400 * 2].map(ago)).toEqual([
    "just now",
    "1 min ago",
    "5 min ago",
    "3 h ago",
    "2 d ago",
  ]);
  expect(ago(86_400 * 20)).toBe("4 Nov");
  expect(ago(86_400 * 400)).toBe("20 Oct 2025");
  // Another machine's clock may be ahead: a moment to come is never "ago".
  expect(ago(-7200)).toBe("24 Nov");
  expect(formatMoment(now)).toBe("2026-11-24 12:00:00");
});

test("the words of a Real become the numbers they stand for", () => {
  expect([1.5, "inf", "-inf", null].map((value) => toNumber(value as never))).toEqual([
    1.5,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    undefined,
  ]);
  expect(toNumber("nan")).toBeNaN();
});
