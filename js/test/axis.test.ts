// @vitest-environment jsdom
import { expect, test } from "vitest";
import type { ChartOptions, RunState } from "../src/contract.ts";
import { AxisChoice, axisOf } from "../src/ui/axis.ts";
import { GroupChoice, poolsOf } from "../src/ui/grouping.ts";
import { xTicks } from "../src/ui/plot/ticks.ts";
import { trace } from "../src/ui/plot/trace.ts";
import { SeriesSet } from "../src/ui/series.ts";
import { state } from "./rows.ts";

const run = (name: string, started: number, axes: string[] = []): RunState =>
  state(name, { status: "finished", step: 3, seconds: 4, started, axes, points: 8 });

/** Two runs that log loss at each call and epoch at every second one, the second a minute later. */
function told(): SeriesSet {
  const set = new SeriesSet();
  for (const [name, started] of [
    ["a", 1000],
    ["b", 1060],
  ] as const) {
    const parts = [
      { run: name, metric: "loss", start: 0, n: 4 },
      { run: name, metric: "epoch", start: 0, n: 2 },
    ];
    const loss = [0, 1, 2, 3, 1, 2, 3, 4, 9, 8, 7, 6];
    const epoch = [1, 3, 2, 4, 0.5, 1];
    set.take(
      { kind: "points", seq: 0, full: false, parts, runs: [run(name, started, ["epoch"])] },
      new Float64Array([...loss, ...epoch]),
    );
  }
  return set;
}

const places = (set: SeriesSet, x: string, of: string): readonly number[] => {
  const column = set.member(of, "loss")?.column;
  return column ? trace(column, axisOf(x, set).placeOf(of), "linear").x : [];
};

test("a point stands at its step, its seconds, its time of day or at the last value of a metric", () => {
  const set = told();
  expect(places(set, "step", "b")).toEqual([0, 1, 2, 3]);
  expect(places(set, "relative", "b")).toEqual([1, 2, 3, 4]);
  expect(places(set, "time", "b")).toEqual([1061, 1062, 1063, 1064]);
  expect(places(set, "epoch", "b")).toEqual([0.5, 0.5, 1]); // before the first epoch it stands nowhere
});

test("an axis has the ends of all its runs", () => {
  const set = told();
  expect(axisOf("time", set).extent()).toEqual([1001, 1064]);
  expect(axisOf("relative", set).extent()).toEqual([1, 4]);
  expect(axisOf("epoch", set).extent()).toEqual([0.5, 1]);
});

test("some series have ends of their own, but over another metric, whose places are not theirs", () => {
  const set = told();
  const epochs = [...set.members].filter(({ metric }) => metric === "epoch");
  const losses = [...set.members].filter(({ metric }) => metric === "loss");
  expect(axisOf("step", set).extent(epochs)).toEqual([1, 3]);
  expect(axisOf("time", set).extent(epochs.slice(0, 1))).toEqual([1002, 1004]);
  expect(axisOf("epoch", set).extent(losses)).toBeUndefined();
});

test("a metric that is not there leaves the step", () => {
  const axis = axisOf("tokens", told());
  expect([axis.name, axis.by]).toEqual(["step", "step"]);
});

test("declared axes are offered before other metrics; without a start there is no time of day", () => {
  const set = told();
  const chosen: string[] = [];
  const choice = new AxisChoice((x) => chosen.push(x));
  choice.show("epoch", set);
  expect([...choice.el.options].map(({ text }) => text)).toEqual([
    "step",
    "relative time",
    "wall time",
    "epoch",
    "loss",
  ]);
  expect(choice.el.querySelector("optgroup")?.textContent).toBe("loss");
  expect(choice.el.value).toBe("epoch");
  choice.el.value = "time";
  choice.el.dispatchEvent(new Event("change"));
  expect(chosen).toEqual(["time"]);
  set.meet([run("c", 0)]);
  set.metrics.add("new");
  choice.show("time", set);
  expect([...choice.el.options].map(({ value }) => value)).not.toContain("time");
  expect(choice.el.value).toBe("step");
});

test("times of day stand at round minutes of the reader's clock", () => {
  const noon = new Date(2026, 1, 3, 12, 0, 7).getTime() / 1000;
  expect(xTicks("time", noon, noon + 600, 300).map(({ word }) => word)).toEqual([
    "12:02",
    "12:04",
    "12:06",
    "12:08",
    "12:10",
  ]);
  expect(xTicks("time", noon, noon + 20, 300).map(({ word }) => word)).toEqual([
    "12:00:10",
    "12:00:15",
    "12:00:20",
    "12:00:25",
  ]);
});

test("an axis of other numbers has fractions between whole ones", () => {
  expect(xTicks("number", 0, 3, 400).map(({ word }) => word)).toEqual([
    "0.0",
    "0.5",
    "1.0",
    "1.5",
    "2.0",
    "2.5",
    "3.0",
  ]);
});

test("groupings are offered where there are some, the band only with one", () => {
  const chosen: Partial<ChartOptions>[] = [];
  const choice = new GroupChoice((change) => chosen.push(change));
  const options: ChartOptions = {
    x: "step",
    y: "linear",
    hidden: [],
    smooth: "none",
    weight: 0.9,
    folded: [],
    group: "",
    spread: "interval",
  };
  const groupings = [{ by: "all but seed", of: { a: "lr=1", b: "lr=1" } }];
  choice.show(options, []);
  expect(choice.el.hidden).toBe(true);
  choice.show(options, groupings);
  const [by, spread] = choice.el.querySelectorAll("select");
  expect([choice.el.hidden, spread?.hidden]).toEqual([false, true]);
  if (by) by.value = "all but seed";
  by?.dispatchEvent(new Event("change"));
  expect(chosen).toEqual([{ group: "all but seed" }]);
  choice.show({ ...options, group: "all but seed" }, groupings);
  expect(spread?.hidden).toBe(false);
  expect(poolsOf("all but seed", groupings)?.get("b")).toBe("lr=1");
  expect(poolsOf("lr", groupings)).toBeNull();
});
