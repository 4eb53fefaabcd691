import { expect, test } from "vitest";
import type { RunState } from "../src/contract.ts";
import { alertHeard, current, customHeard, runsHeard, sentence } from "../src/lab/heard.ts";
import { messages } from "./messages.ts";

function state(change: Partial<RunState>): RunState {
  const plain = { run: "a", name: "base", status: "running", step: 12, seconds: 1, points: 24, error: null } as const;
  return {
    ...plain,
    last: { "val/loss": 0.5, "train/loss": 0.25 },
    goals: {},
    earlier: 0,
    beaten: {},
    left: null,
    started: 0,
    axes: [],
    asked_to: "",
    paused: false,
    knobs: [],
    ...change,
  };
}

const comm = (content: unknown): Parameters<typeof runsHeard>[0] => ({
  header: { msg_type: "comm_msg" },
  content: { comm_id: "c", data: { method: "custom", content } },
});

test("runs are heard in what a widget sends, as Python sent it", () => {
  const heard = messages.map(({ message }) => runsHeard(comm(message)).length);
  expect(heard).toEqual(messages.map(({ message }) => (message.kind === "points" ? message.runs.length : 0)));
  expect(Math.max(...heard)).toBeGreaterThan(0);
});

test("other messages, of other widgets too, are nothing", () => {
  const points = { kind: "points", parts: [], runs: [state({})] };
  expect(runsHeard(comm(points)).length).toBe(1);
  expect(runsHeard({ ...comm(points), header: { msg_type: "stream" } })).toEqual([]);
  for (const other of [null, "points", { kind: "points", runs: 3 }, { ...points, parts: undefined }]) {
    expect(runsHeard(comm(other))).toEqual([]);
  }
  expect(runsHeard(comm({ ...points, runs: [{ name: 3 }, { name: "b", last: null }] }))).toEqual([]);
  expect(runsHeard({ header: { msg_type: "comm_msg" }, content: {} })).toEqual([]);
});

test("the run that is going is spoken of before those that ended", () => {
  const runs = [state({ name: "one" }), state({ name: "two", status: "failed" })];
  expect(current(runs)?.name).toBe("one");
  expect(current(runs.slice(1))?.name).toBe("two");
  expect(current([])).toBeUndefined();
});

test("a sentence has the name, the step and training's loss, and says how a run ended", () => {
  expect(sentence(state({}))).toBe("base · step 12 · train/loss 0.2500");
  expect(sentence(state({ status: "failed" }))).toBe("base · failed · step 12 · train/loss 0.2500");
  expect(sentence(state({ last: { acc: 1, "val/loss": "nan" } }))).toBe("base · step 12 · val/loss nan");
  expect(sentence(state({ last: {}, goals: {}, step: null }))).toBe("base");
  expect(sentence(state({ step: 0 }))).toBe("base · train/loss 0.2500");
});

test("only what a kernel sends to that one widget is overheard", () => {
  const points = { kind: "points", parts: [], runs: [] };
  expect(customHeard(comm(points), "c")).toBe(points);
  expect(customHeard(comm(points), "d")).toBeUndefined();
  expect(customHeard({ ...comm(points), header: { msg_type: "comm_open" } }, "c")).toBeUndefined();
  expect(customHeard(comm(null), "c")).toBeUndefined();
  const update = { comm_id: "c", data: { method: "update", content: points } };
  expect(customHeard({ header: { msg_type: "comm_msg" }, content: update }, "c")).toBeUndefined();
});

test("an alert is heard where a cell shows it as a line, and nowhere else", () => {
  const shown = (metadata: unknown): Parameters<typeof alertHeard>[0] => ({
    header: { msg_type: "display_data" },
    content: { data: { "text/plain": "celltrail: ▲ loss > 3 (a)" }, metadata },
  });
  const said = "loss > 3 (a)";
  expect(alertHeard(shown({ celltrail: "alert", level: "warn", said }))).toEqual({ level: "warn", said });
  expect(alertHeard(shown({ celltrail: "chart" }))).toBeUndefined();
  expect(alertHeard(shown(undefined))).toBeUndefined();
  expect(alertHeard({ ...shown({ celltrail: "alert", said }), header: { msg_type: "stream" } })).toBeUndefined();
});
