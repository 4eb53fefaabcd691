import { expect, test } from "vitest";
import { BUDGET, Column } from "../src/ui/columns.ts";
import { nearest, type Place, trace } from "../src/ui/plot/trace.ts";

function column(values: number[], step = (i: number): number => i): Column {
  const made = new Column();
  values.forEach((value, i) => {
    made.push(step(i), i / 10, value);
  });
  return made;
}

const byStep: Place = (step) => [...step];

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

test("NaN first is a mark and a gap, never a value", () => {
  const made = column([Number.NaN, 1, Number.POSITIVE_INFINITY, 2]);
  const line = trace(made, byStep, "linear");
  expect(line.x).toEqual([0, 1, 2, 3]);
  expect(line.y).toEqual([Number.NaN, 1, Number.NaN, 2]);
  expect(line.marks).toEqual([0, 2]);
  expect([made.nan, made.inf, made.min, made.max, made.last]).toEqual([1, 1, 1, 2, 2]);
});

test("nothing but NaN is counted in full and marked in bounded memory", () => {
  const made = column(new Array(10_000).fill(Number.NaN));
  expect(made.nan).toBe(10_000);
  expect(made.marks.length).toBeLessThanOrEqual(400);
  expect(made.marks.at(-1)?.step).toBe(9999);
  expect(made.last).toBeUndefined();
});

test("a logarithmic axis shows no zero and no negative value, but marks and counts them; a symmetric one shows all", () => {
  const line = trace(column([1, 0, -3, 10]), byStep, "log");
  expect(line.y).toEqual([1, Number.NaN, Number.NaN, 10]);
  expect([line.marks, line.unshown]).toEqual([[1, 2], 2]);
  expect(trace(column([1, 0, -3, 10]), byStep, "symlog").y).toEqual([1, 0, -3, 10]);
});

test("steps logged backwards and twice are all drawn, in ascending order", () => {
  const line = trace(
    column([10, 20, 30, 40], (i) => [5, 3, 5, 1][i] ?? 0),
    byStep,
    "linear",
  );
  expect([line.x, line.y]).toEqual([
    [1, 3, 5, 5],
    [40, 20, 10, 30],
  ]);
});

test("the axis decides where points stand, and what stands nowhere is left out", () => {
  const made = column([1, 2, 3], (i) => i * 100);
  expect(trace(made, (_, seconds) => [...seconds], "linear").x).toEqual([0, 0.1, 0.2]);
  const late: Place = (step) => step.map((at) => (at < 100 ? Number.NaN : at / 50));
  expect(trace(made, late, "linear")).toMatchObject({ x: [2, 4], y: [2, 3] });
});

test("the cursor takes a line's own nearest point: over gaps, and a little beyond an end", () => {
  const line = { x: [0, 1, 2, 9], y: [5, Number.NaN, 7, 8] };
  expect([0.4, 1.4, 5, 6].map((x) => nearest(line, x, 1))).toEqual([0, 2, 2, 3]);
  expect([9.5, 11, -3].map((x) => nearest(line, x, 1))).toEqual([3, -1, -1]);
  expect(nearest({ x: [], y: [] }, 1, 1)).toBe(-1);
});
