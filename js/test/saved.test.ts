import { expect, test } from "vitest";
import type { SavedPanel, SavedSeries } from "../src/contract.ts";
import { readPayload } from "../src/lab/payload.ts";
import { savedSource, snapshot } from "../src/saved.ts";
import { SeriesSet } from "../src/ui/series.ts";
import { panels } from "./messages.ts";
import { payload } from "./rows.ts";

const base64 = (column: Float32Array | Float64Array): string => Buffer.from(column.buffer).toString("base64");

function series(values: number[]): SavedSeries {
  const count = values.map((_, i) => i);
  return {
    run: "a",
    metric: "loss",
    n: 1000,
    step: base64(new Float64Array(count.map((i) => i * 2 ** 40))),
    seconds: base64(new Float32Array(count)),
    value: base64(new Float32Array(values)),
  };
}

const chart = (all: SavedSeries[]): SavedPanel => ({ ...payload({}), kind: "chart", series: all });

test("columns come back exactly, NaN and infinity among them, steps in full", () => {
  const [points, data] = snapshot(chart([series([0.5, Number.NaN, Number.NEGATIVE_INFINITY]), series([2])]));
  expect(points.parts.map(({ start, n }) => [start, n])).toEqual([
    [0, 3],
    [0, 1],
  ]);
  expect([...data]).toEqual([0, 2 ** 40, 2 ** 41, 0, 1, 2, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, 0, 0, 2]);
});

test("values beyond 32 bits come in 64 and stay finite", () => {
  const values = [1, 1e300, Number.POSITIVE_INFINITY];
  const [, data] = snapshot(chart([{ ...series(values), value: base64(new Float64Array(values)) }]));
  expect([...data].slice(6)).toEqual(values);
});

test("columns of unequal length are refused by name", () => {
  const broken = { ...series([1, 2]), value: base64(new Float32Array(1)) };
  expect(() => snapshot(chart([broken]))).toThrow("loss of a has columns of unequal length");
});

test("a saved source plays its snapshot once and has no kernel to ask", async () => {
  const source = savedSource(chart([series([1, 2])]), { x: "step" });
  const heard: number[] = [];
  source.follow((_, data) => heard.push(data.length), new AbortController().signal);
  expect(heard).toEqual([6]);
  source.keep({ x: "time" });
  expect(source.options()).toEqual({ x: "time" });
  await expect(source.query("")).rejects.toThrow("run the cell again");
});

test("what Python saved can be drawn: every series arrives with all its points", () => {
  const saved = panels.filter((panel) => panel.kind === "chart");
  expect(saved.length).toBeGreaterThan(0);
  for (const panel of saved) {
    expect(readPayload(panel)).toBe(panel);
    const set = new SeriesSet();
    set.take(...snapshot(panel));
    const members = set.groups.flatMap((group) => group.members);
    expect(members.map(({ key }) => key).sort()).toEqual(panel.series.map((one) => `${one.run}/${one.metric}`).sort());
    for (const { column } of members) expect(column.count).toBeGreaterThan(0);
  }
});

test("a newer form is a sentence, a damaged one too, neither an exception", () => {
  const good = chart([]);
  expect(readPayload(good)).toBe(good);
  expect(readPayload({ ...good, v: 2 })).toContain("newer celltrail");
  for (const bad of [null, "text", {}, { ...good, kind: "pie" }, { ...good, runs: null }]) {
    expect(readPayload(bad)).toMatch(/damaged|no panel/);
  }
});
