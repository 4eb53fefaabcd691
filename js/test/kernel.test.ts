import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { assert } from "../src/assert.ts";
import type { ChartOptions, FromKernel, FromPanel, Points } from "../src/contract.ts";
import { float64, Kernel, kernelSource, type Model, type PanelState, type PanelView } from "../src/kernel.ts";
import { CHART } from "../src/panels/chart.ts";
import { messages, panels } from "./messages.ts";

/** anywidget's model, as much of it as panels use. */
class Mock implements Model {
  readonly sent: FromPanel[] = [];
  saves = 0;
  readonly #hears = new Map<string, Set<(...args: never[]) => void>>();
  constructor(readonly traits: Record<string, unknown> = {}) {}
  get = (name: string): unknown => this.traits[name];
  set = (name: string, value: unknown): void => {
    this.traits[name] = value;
  };
  save_changes = (): void => {
    this.saves++;
  };
  send = (message: unknown): void => {
    this.sent.push(message as FromPanel);
  };
  on = (event: string, hear: (...args: never[]) => void): void => {
    this.#hears.set(event, (this.#hears.get(event) ?? new Set()).add(hear));
  };
  off = (event: string, hear: (...args: never[]) => void): void => {
    this.#hears.get(event)?.delete(hear);
  };
  say(message: FromKernel, data: number[] = []): void {
    for (const hear of this.#hears.get("msg:custom") ?? []) {
      (hear as (...args: unknown[]) => void)(message, [new DataView(new Float64Array(data).buffer)]);
    }
  }
  die(): void {
    for (const hear of this.#hears.get("comm_live_update") ?? []) hear();
  }
  get listeners(): number {
    return [...this.#hears.values()].reduce((sum, hears) => sum + hears.size, 0);
  }
}

const shown: ChartOptions = CHART;
let end: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  end = new AbortController();
});
afterEach(() => {
  end.abort();
  vi.useRealTimers();
});

function points(seq: number, start: number, n: number, full = false): Points {
  return { kind: "points", seq, full, parts: [{ run: "a", metric: "loss", start, n }], runs: [] };
}

function follow(model: Mock): Points[] {
  const heard: Points[] = [];
  kernelSource<ChartOptions>(model, end.signal).follow((one) => heard.push(one), end.signal);
  return heard;
}

const syncs = (model: Mock): number => model.sent.filter((message) => message.kind === "sync").length;

test("a panel that hears nothing asks once for everything", () => {
  const model = new Mock();
  follow(model);
  expect(syncs(model)).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(syncs(model)).toBe(1);
});

test("what waits for a kernel that dies is refused, and so is what is asked after it", async () => {
  const model = new Mock();
  const source = kernelSource<ChartOptions>(model, end.signal);
  let lost = 0;
  source.lost?.(() => lost++, end.signal);
  const waiting = source.query("");
  model.die();
  await expect(waiting).rejects.toThrow("its kernel is gone; run the cell again");
  await expect(source.query("")).rejects.toThrow("its kernel is gone");
  expect([lost, model.sent.length]).toEqual([1, 1]);
});

test("a panel that is told everything asks for nothing", () => {
  const model = new Mock();
  const heard = follow(model);
  model.say(points(0, 0, 5, true));
  model.say(points(1, 5, 2));
  vi.advanceTimersByTime(60_000);
  expect(heard.length).toBe(2);
  expect(syncs(model)).toBe(0);
});

test("a gap in seq costs one Sync, however many messages follow it", () => {
  const model = new Mock();
  const heard = follow(model);
  model.say(points(0, 0, 5, true));
  model.say(points(2, 5, 1));
  model.say(points(4, 6, 1));
  vi.advanceTimersByTime(1000);
  model.say(points(6, 7, 1));
  vi.advanceTimersByTime(1000);
  expect(heard.length).toBe(4);
  expect(syncs(model)).toBe(1);
  model.say(points(7, 0, 9, true));
  model.say(points(9, 9, 1));
  vi.advanceTimersByTime(1000);
  expect(syncs(model)).toBe(2);
});

test("a start beyond what came costs a Sync although seq goes on", () => {
  const model = new Mock();
  follow(model);
  model.say(points(0, 0, 5, true));
  model.say(points(1, 6, 1));
  vi.advanceTimersByTime(1000);
  expect(syncs(model)).toBe(1);
});

test("an answer goes to whom it belongs, a fault rejects with the kernel's sentence", async () => {
  const model = new Mock();
  const source = kernelSource<ChartOptions>(model, end.signal);
  const first = source.query("lr < 1");
  const second = source.query("lr <");
  const [one, two] = model.sent;
  const rows = { rows: [], total: 7, hints: [] };
  model.say({
    kind: "answer",
    reply_to: "nobody",
    rows: { rows: [], total: 0, hints: [] },
    comparison: null,
    said: null,
    text: null,
    proposals: null,
    views: null,
    drawn: null,
    content: null,
    parts: null,
    listing: null,
    sums: null,
    stale: null,
    executions: null,
    marks: null,
    comments: null,
  });
  model.say({ kind: "fault", reply_to: two?.id ?? "", text: "a value is missing" });
  model.say({
    kind: "answer",
    reply_to: one?.id ?? "",
    rows,
    comparison: null,
    said: null,
    text: null,
    proposals: null,
    views: null,
    drawn: null,
    content: null,
    parts: null,
    listing: null,
    sums: null,
    stale: null,
    executions: null,
    marks: null,
    comments: null,
  });
  await expect(first).resolves.toEqual(rows);
  await expect(second).rejects.toThrow("a value is missing");
});

test("a fault nobody waits for is told to the panel", () => {
  const model = new Mock();
  const told: string[] = [];
  kernelSource<ChartOptions>(model, end.signal).faults((sentence) => told.push(sentence), end.signal);
  model.say({ kind: "fault", reply_to: null, text: "the trail is gone" });
  expect(told).toEqual(["the trail is gone"]);
});

test("options are read back at once and written once a moment later", () => {
  const model = new Mock({ options: shown });
  const source = kernelSource<ChartOptions>(model, end.signal);
  source.keep({ ...shown, x: "time" });
  source.keep({ ...shown, y: "log" });
  expect(source.options().y).toBe("log");
  expect([model.saves, model.get("options")]).toEqual([0, shown]);
  vi.advanceTimersByTime(300);
  expect([model.saves, model.get("options")]).toEqual([1, { ...shown, y: "log" }]);
});

test("closing writes what was kept, rejects what was asked and removes every listener", async () => {
  const model = new Mock({ options: shown });
  const source = kernelSource<ChartOptions>(model, end.signal);
  source.follow(() => {}, end.signal);
  source.changed(() => {}, end.signal);
  source.keep({ ...shown, x: "time" });
  const asked = source.compare(["a", "b"]);
  end.abort();
  await expect(asked).rejects.toThrow("closed");
  expect(model.get("options")).toEqual({ ...shown, x: "time" });
  expect(model.listeners).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(syncs(model)).toBe(0);
});

test("columns lie where the bytes are; an odd offset is copied", () => {
  const bytes = new Uint8Array(28);
  bytes.set(new Uint8Array(new Float64Array([1.5, -2]).buffer), 4);
  expect([...float64(new DataView(bytes.buffer, 4, 16))]).toEqual([1.5, -2]);
  const whole = new Float64Array([3, 4]);
  expect(float64(new DataView(whole.buffer)).buffer).toBe(whole.buffer);
  expect(float64(undefined).length).toBe(0);
});

test("what Python sent is heard without a gap, each value in its place", () => {
  const model = new Mock({ state: panels[0] });
  let seen = 0;
  kernelSource<ChartOptions>(model, end.signal).follow((one, data) => {
    expect(data.length).toBe(one.parts.reduce((sum, part) => sum + 3 * part.n, 0));
    seen++;
  }, end.signal);
  for (const { message, data } of messages) model.say(message, data);
  vi.advanceTimersByTime(60_000);
  expect(seen).toBe(messages.filter(({ message }) => message.kind === "points").length);
  expect(seen).toBeGreaterThan(0);
  expect(syncs(model)).toBe(0);
});

test("the kernel's own state cannot be written: it does not compile", () => {
  const kernel = new Kernel<PanelState, PanelView<ChartOptions>>(new Mock());
  // @ts-expect-error the state is the kernel's
  kernel.set("state", panels[0]);
  kernel.set("options", shown);
});

test("an item that was asked for before Jupyter had a way past the busy cell is asked for once more", async () => {
  const model = new Mock();
  const found = kernelSource(model, end.signal).take({ run: "a", number: 3 });
  await vi.advanceTimersByTimeAsync(5000);
  expect(model.sent).toMatchObject([
    { kind: "take", run: "a", number: 3 },
    { kind: "take", run: "a", number: 3 },
  ]);
  const later = model.sent[1];
  const content = { media: "", said: "here", text: null, counts: [], edges: [], heads: [], rows: [], more: 0 };
  const answer = messages.flatMap(({ message }) => (message.kind === "answer" ? [message] : []))[0];
  assert(answer && later, "Python sent an answer, and the page asked twice");
  model.say({ ...answer, reply_to: later.id, content });
  expect((await found)[0]).toEqual(content);
});

test("what is asked of a kernel that was shut down is refused in words", async () => {
  const model = new Mock();
  model.send = () => {
    throw new Error("Cannot send");
  };
  const found = kernelSource(model, end.signal).query("lr < 1");
  await expect(found).rejects.toThrow("its kernel is gone; run the cell again");
});
