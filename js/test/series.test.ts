import { expect, test } from "vitest";
import type { Part, Points } from "../src/contract.ts";
import { axisOf } from "../src/ui/axis.ts";
import { SeriesSet } from "../src/ui/series.ts";

function points(parts: Part[], full = false): Points {
  return { kind: "points", seq: 0, full, parts, runs: [] };
}

/** Columns of parts: step i and value i from `start`. */
function data(parts: Part[]): Float64Array {
  const count = (from: number, n: number): number[] => Array.from({ length: n }, (_, i) => from + i);
  return new Float64Array(parts.flatMap(({ start, n }) => [0, 1, 2].flatMap(() => count(start, n))));
}

function told(set: SeriesSet, parts: Part[], full = false): void {
  set.take(points(parts, full), data(parts));
}

const part = (start: number, n: number, metric = "train/loss", run = "a"): Part => ({ run, metric, start, n });
const steps = (set: SeriesSet): number[] => set.groups[0]?.members[0]?.column.drawn().step ?? [];

test("stretches are put together; a repeated one is not drawn twice", () => {
  const set = new SeriesSet();
  told(set, [part(0, 3)]);
  told(set, [part(3, 2)]);
  told(set, [part(3, 2)]);
  told(set, [part(4, 3)]);
  expect(steps(set)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("a gap keeps what came, and the full snapshot replaces it", () => {
  const set = new SeriesSet();
  told(set, [part(0, 2)]);
  told(set, [part(10, 2)]);
  expect(steps(set)).toEqual([0, 1, 10, 11]);
  told(set, [part(0, 12)], true);
  expect(steps(set)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

test("a full snapshot empties a series it does not mention", () => {
  const set = new SeriesSet();
  told(set, [part(0, 2), part(0, 2, "acc")]);
  told(set, [part(0, 2, "acc")], true);
  expect(steps(set)).toEqual([]);
});

test("train and val of one metric share a plot, over all runs", () => {
  const set = new SeriesSet();
  told(set, [part(0, 1), part(0, 1, "acc"), part(0, 1, "val/loss"), part(0, 1, "train/loss", "b")]);
  expect(set.groups.map(({ name, members }) => [name, members.map(({ key }) => key)])).toEqual([
    ["loss", ["a/train/loss", "a/val/loss", "b/train/loss"]],
    ["acc", ["a/acc"]],
  ]);
});

test("all plots have the same ends, and a single point still has a width", () => {
  const set = new SeriesSet();
  expect(axisOf("step", set).extent()).toBeUndefined();
  told(set, [part(4, 1)]);
  expect(axisOf("step", set).extent()).toEqual([4, 5]);
  told(set, [part(0, 9, "acc")]);
  expect(axisOf("step", set).extent()).toEqual([0, 8]);
});
