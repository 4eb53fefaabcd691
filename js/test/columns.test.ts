import { expect, test } from "vitest";
import { BUDGET, Column } from "../src/ui/columns.ts";
import { join } from "../src/ui/join.ts";

function column(values: number[], step = (i: number): number => i): Column {
  const made = new Column();
  values.forEach((value, i) => {
    made.push(step(i), i / 10, value);
  });
  return made;
}

test("a million points keep their spikes, their ends and at most the budget", () => {
  const made = new Column();
  for (let i = 0; i < 1_000_000; i++) {
    const value = i === 543_210 ? 99 : i === 777_777 ? -99 : Math.sin(i / 1e5);
    made.push(i, i / 100, value);
  }
  const { step, value } = made.drawn();
  expect(step.length).toBeLessThanOrEqual(BUDGET + 4);
  expect(step.length).toBeGreaterThan(BUDGET / 4);
  expect(step[value.indexOf(99)]).toBe(543_210);
  expect(step[value.indexOf(-99)]).toBe(777_777);
  expect(step[0]).toBe(0);
  expect(step.at(-1)).toBe(999_999);
  expect([made.count, made.min, made.max]).toEqual([1_000_000, -99, 99]);
});

test("early points are not thinned more than late ones", () => {
  const { step } = column(Array.from({ length: 100_000 }, (_, i) => i % 7)).drawn();
  const early = step.filter((at) => at < 50_000).length;
  expect(early / step.length).toBeGreaterThan(0.45);
  expect(early / step.length).toBeLessThan(0.55);
});

test("what is drawn stays in the order of logging while buckets fill", () => {
  const made = new Column();
  for (let i = 0; i < 9001; i++) {
    made.push(i, i, Math.cos(i));
    if (i % 1009 !== 0) continue;
    const { step } = made.drawn();
    expect(step).toEqual([...step].sort((a, b) => a - b));
    expect(step.at(-1)).toBe(i);
  }
});

test("NaN first is a mark and a gap, never a number for the plot", () => {
  const made = column([Number.NaN, 1, Number.POSITIVE_INFINITY, 2]);
  const joined = join([made], "step", false);
  expect(joined.x).toEqual([0, 1, 2, 3]);
  expect(joined.y).toEqual([[null, 1, null, 2]]);
  expect(joined.marks).toEqual([[0, 2]]);
  expect([made.nan, made.inf, made.min, made.max, made.last]).toEqual([1, 1, 1, 2, 2]);
});

test("nothing but NaN is counted in full and marked in bounded memory", () => {
  const made = column(new Array(10_000).fill(Number.NaN));
  expect(made.nan).toBe(10_000);
  expect(made.marks.length).toBeLessThanOrEqual(400);
  expect(made.marks.at(-1)?.step).toBe(9999);
  expect(made.last).toBeUndefined();
});

test("a logarithmic axis shows no zero and no negative value, but marks and counts them", () => {
  const joined = join([column([1, 0, -3, 10])], "step", true);
  expect(joined.y).toEqual([[1, null, null, 10]]);
  expect(joined.marks).toEqual([[1, 2]]);
  expect(joined.unshown).toEqual([2]);
});

test("two series share one x: what one lacks is no gap in the other", () => {
  const joined = join([column([1, 2, 3]), column([7, 8], (i) => i * 2 + 1)], "step", false);
  expect(joined.x).toEqual([0, 1, 2, 3]);
  expect(joined.y).toEqual([
    [1, 2, 3, undefined],
    [undefined, 7, undefined, 8],
  ]);
});

test("steps logged backwards and twice are all drawn, in ascending order", () => {
  const joined = join([column([10, 20, 30, 40], (i) => [5, 3, 5, 1][i] ?? 0)], "step", false);
  expect(joined.x).toEqual([1, 3, 5, 5]);
  expect(joined.y).toEqual([[40, 20, 10, 30]]);
});

test("time on x takes the seconds that came with each point", () => {
  expect(join([column([1, 2, 3], (i) => i * 100)], "time", false).x).toEqual([0, 0.1, 0.2]);
});
