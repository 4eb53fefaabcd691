// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Band, ChartOptions, Mark, Note, Part, RunState, Window } from "../src/contract.ts";
import { CHART, mount } from "../src/panels/chart.ts";
import type { Asked } from "../src/source.ts";
import { csv } from "../src/ui/download.ts";
import { toSvg } from "../src/ui/plot/picture.ts";
import { inside, layOut, outputArea, type StoodIn, standIn } from "./page.ts";
import { payload, state } from "./rows.ts";

let end: AbortController;
beforeEach(() => {
  layOut();
  globalThis.IntersectionObserver = class {
    observe(): void {}
    disconnect(): void {}
  } as unknown as typeof IntersectionObserver;
  HTMLCanvasElement.prototype.getContext = () => null;
  vi.useFakeTimers({
    toFake: ["requestAnimationFrame", "cancelAnimationFrame", "setTimeout", "clearTimeout", "performance"],
  });
  end = new AbortController();
});
afterEach(() => {
  end.abort();
  vi.useRealTimers();
});

interface Shown {
  root: ShadowRoot;
  source: StoodIn<ChartOptions>;
  tell(series: Record<string, number[]>, run?: string): void;
}

/** A chart that hears of series by "metric", values at steps from 0 on. */
function show(
  options: Partial<ChartOptions> = {},
  goals: RunState["goals"] = {},
  answers: Parameters<typeof standIn<ChartOptions>>[2] = {},
): Shown {
  const { output } = outputArea();
  const source = standIn<ChartOptions>(payload({ kind: "chart" }), { ...CHART, ...options }, answers);
  mount(output, source, end.signal);
  const tell: Shown["tell"] = (series, run = "a") => {
    const parts: Part[] = [];
    const data: number[] = [];
    for (const [metric, values] of Object.entries(series)) {
      parts.push({ run, metric, start: 0, n: values.length });
      data.push(...values.keys(), ...values.keys(), ...values);
    }
    source.tell({ kind: "points", seq: 0, full: false, parts, runs: [state(run, { goals })] }, data);
    vi.advanceTimersByTime(50);
  };
  return { root: inside(output), source, tell };
}

const titles = (root: ShadowRoot): (string | null)[] =>
  [...root.querySelectorAll<HTMLElement>(".card:not([hidden]) h3")].map((h3) => h3.textContent);
const plots = (n: number, prefix: string): Record<string, number[]> =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [`${prefix}${i}`, [1, 2]]));

test("plots stand in sections by prefix, those without one first; a folded section is kept", () => {
  const { root, source, tell } = show();
  tell({ "sys/cpu": [1, 2], "train/loss": [1, 2], "val/loss": [2, 3], "sys/gpu/0": [1, 1] });
  expect(titles(root)).toEqual(["loss", "cpu", "gpu/0"]);
  const section = root.querySelector("details");
  expect(section?.querySelector("summary")?.textContent).toBe("sys 2");
  section?.removeAttribute("open");
  section?.dispatchEvent(new Event("toggle"));
  expect(source.kept.at(-1)?.folded).toEqual(["sys"]);
});

test("of several runs only one with points has a line in its colour", () => {
  const { root, source, tell } = show();
  tell({ loss: [1, 2] });
  source.tell({ kind: "points", seq: 1, full: false, parts: [], runs: [state("sweep", { points: 0 })] }, []);
  vi.advanceTimersByTime(50);
  const swatches = [...root.querySelectorAll<SVGElement>("table[aria-label=runs] svg")];
  const lines = swatches.filter((each) => !each.closest("td"));
  expect(lines.map(({ style }) => style.visibility)).toEqual(["", "hidden"]);
});

test("what is told while a long one is shown waits, and is then shown together", () => {
  const { root, source, tell } = show();
  let now = 0;
  let shows = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 50)); // each showing takes 50 ms
  const frame = vi.spyOn(globalThis, "requestAnimationFrame");
  tell({ loss: [1] });
  shows = frame.mock.calls.length;
  for (let i = 2; i < 12; i++) {
    source.tell({ kind: "points", seq: i, full: false, parts: [], runs: [state(`run ${i}`, { points: 1 })] }, []);
    vi.advanceTimersByTime(16);
  }
  expect(frame.mock.calls.length).toBeLessThanOrEqual(shows + 1);
  vi.advanceTimersByTime(1000);
  expect(root.querySelectorAll("table[aria-label=runs] tbody tr, [aria-label=runs] tr").length).toBeGreaterThanOrEqual(
    11,
  );
  frame.mockRestore();
  clock.mockRestore();
});

test("what the machine did stands over time, in bytes for people, and shares no cursor with steps", () => {
  const { root, tell } = show();
  tell({ "train/loss": [1, 2, 3], "sys/rss": [1e6, 2e8, 3.2e8] });
  const [loss, rss] = [...root.querySelectorAll<HTMLElement>(".card")];
  const walk = (card: HTMLElement | undefined): string | null | undefined => {
    const stage = card?.querySelector(".stage");
    stage?.dispatchEvent(new KeyboardEvent("keydown", { key: "End" }));
    return card?.querySelector("[aria-live]")?.textContent;
  };
  expect(walk(loss)).toBe("step 2: train 3");
  expect(walk(rss)).toMatch(/^2\.0 s: /);
  expect(loss?.querySelector("th.at")?.textContent).toBe("step 2");
  expect(rss?.querySelector("td.max")?.textContent).toBe("320 MB");
});

test("many plots can be searched by every word; what is not found is said in words", () => {
  const { root, tell } = show();
  tell({ ...plots(8, "val/metric"), "grad/layer3/norm": [1] });
  const box = root.querySelector<HTMLInputElement>("input[type=search]");
  const find = (words: string): void => {
    if (!box) throw new Error("no box");
    box.value = words;
    box.dispatchEvent(new Event("input"));
  };
  expect(box?.hidden).toBe(false);
  find("NORM grad");
  expect(titles(root)).toEqual(["layer3/norm"]);
  find("nobody");
  expect(root.querySelector("[role=status]")?.textContent).toBe('no plot is called "nobody"');
  find("");
  expect(titles(root).length).toBe(9);
});

test("a new metric leaves the plots that are there as they are", () => {
  const { root, tell } = show();
  tell({ "train/loss": [1, 2] });
  const card = root.querySelector(".card");
  tell({ acc: [1, 2] });
  expect(root.querySelector(".card")).toBe(card);
  tell({ "val/loss": [3, 4] });
  expect(titles(root)).toEqual(["loss", "acc"]);
  expect(root.querySelectorAll(".card").length).toBe(2);
  expect(root.querySelectorAll(".card .legend tbody tr").length).toBe(3);
});

test("train stands before val, whichever was logged first", () => {
  const { root, tell } = show();
  tell({ "val/loss": [3, 2], "test/loss": [4, 4], "train/loss": [2, 1] });
  const names = [...root.querySelectorAll(".legend tbody .name")].map((name) => name.textContent);
  expect(names).toEqual(["train", "val", "test"]);
});

test("beside train, val says how far it is from it", () => {
  const { root, tell } = show();
  tell({ "train/loss": [1, 0.5], "val/loss": [2, 0.75], acc: [1, 1] });
  const said = [...root.querySelectorAll<HTMLElement>(".gap:not([hidden])")].map((p) => p.textContent);
  expect(said).toEqual(["val − train +0.2500"]);
});

test("the best value is set off by the metric's goal", () => {
  const { root, tell } = show({}, { "train/loss": "min", acc: "max" });
  tell({ "train/loss": [1, 0.5, 0.7], acc: [0, 0.9, 0.2], lr: [1, 2, 3] });
  expect([...root.querySelectorAll("td.best")].map((td) => td.textContent)).toEqual(["0.5000", "0.9000"]);
});

test("smoothing is chosen with its strength, and kept", () => {
  const { root, source, tell } = show();
  tell({ loss: [1, 2, 3] });
  const kind = root.querySelector<HTMLSelectElement>("select[aria-label=smoothing]");
  const weight = root.querySelector<HTMLInputElement>("input[type=range]");
  if (!kind || !weight) throw new Error("no smoothing");
  expect(weight.hidden).toBe(true);
  kind.value = "median";
  kind.dispatchEvent(new Event("change"));
  vi.advanceTimersByTime(50);
  expect([source.kept.at(-1)?.smooth, weight.hidden]).toEqual(["median", false]);
  weight.value = "0.5";
  weight.dispatchEvent(new Event("input"));
  expect(source.kept.at(-1)?.weight).toBe(0.5);
});

const press = (root: ShadowRoot, ...keys: string[]): void => {
  for (const key of keys) {
    root.querySelector(".stage")?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    vi.advanceTimersByTime(50);
  }
};

test("what is zoomed into is asked for again with more points, twice as wide; all of it is not", async () => {
  const asked: Asked<Window>[] = [];
  const window = (one: Asked<Window>): Promise<[Part[], Float64Array]> => {
    asked.push(one);
    const n = 5;
    const x = Array.from({ length: n }, (_, i) => 5 + i / 2);
    return Promise.resolve([
      [{ run: "a", metric: "loss", start: 0, n }],
      new Float64Array([...x, ...x, ...x.map((_, i) => i)]),
    ]);
  };
  const { root, tell } = show({}, {}, { window });
  tell({ loss: [0, 1, 2, 3, 4, 5, 6, 7, 8] });
  press(root, "+");
  expect(asked).toEqual([{ runs: ["a"], metrics: ["loss"], x: "step", low: 0, high: 8, points: 3900 }]);
  await Promise.resolve();
  vi.advanceTimersByTime(50);
  press(root, "Home", "ArrowRight");
  expect(root.querySelector(".legend th.at")?.textContent).toBe("step 5.500");
  press(root, "0", "Home");
  expect(root.querySelector(".legend th.at")?.textContent).toBe("step 0");
  vi.advanceTimersByTime(500);
  expect(asked.length).toBe(1);
});

test("a hand that goes on is asked for once at a time, about where it is by then, and not about what is here", async () => {
  const asked: Asked<Window>[] = [];
  const open: ((found: [Part[], Float64Array]) => void)[] = [];
  const window = (one: Asked<Window>): Promise<[Part[], Float64Array]> => {
    asked.push(one);
    return new Promise((found) => open.push(found));
  };
  const come = async (): Promise<void> => {
    open.shift()?.([[{ run: "a", metric: "loss", start: 0, n: 1 }], new Float64Array([500, 500, 1])]);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    vi.advanceTimersByTime(2000);
  };
  const { root, tell } = show({}, {}, { window });
  tell({ loss: Array.from({ length: 1001 }, (_, i) => i) });
  press(root, "Home", "+", "+", "+", "+", "]", "]"); // a window of 500, then one of 62.5 that is moved on
  expect(asked.map(({ low, high }) => [low, high])).toEqual([[-250, 750]]);
  await come();
  expect(asked.map(({ low, high }) => Math.round((low + high) / 2))).toEqual([250, 63]);
  await come();
  press(root, "]");
  expect(asked.length).toBe(2); // a quarter of the window further there are points enough
  press(root, "]");
  expect(asked.length).toBe(3);
  press(root, "0");
  await come();
  expect(asked.length).toBe(3);
});

test("who looks closer at the end of a run that goes on sees it grow", async () => {
  const window = (): Promise<[Part[], Float64Array]> =>
    Promise.resolve([[{ run: "a", metric: "loss", start: 0, n: 2 }], new Float64Array([6, 7, 6, 7, 6, 7])]);
  const { root, source, tell } = show({}, {}, { window });
  tell({ loss: [0, 1, 2, 3, 4, 5, 6, 7, 8] });
  press(root, "End", "+");
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  const parts = [{ run: "a", metric: "loss", start: 9, n: 1 }];
  source.tell({ kind: "points", seq: 1, full: false, parts, runs: [state("a")] }, [7.5, 7.5, 42]);
  vi.advanceTimersByTime(500);
  press(root, "End");
  expect(root.querySelector(".legend td.at")?.textContent).toBe("42");
});

test("a note on the point under the cursor goes to the kernel and comes back as a mark", async () => {
  const asked: Asked<Note>[] = [];
  const note = (one: Asked<Note>): Promise<Mark[]> => {
    asked.push(one);
    if (!one.text) return Promise.reject(new Error("a note without words cannot be kept"));
    return Promise.resolve([{ run: one.run, metric: one.metric, step: one.step, text: one.text }]);
  };
  const { root, tell } = show({}, {}, { note });
  tell({ loss: [4, 3, 9, 1] });
  press(root, "Home", "ArrowRight", "ArrowRight", "n");
  const form = root.querySelector("form");
  const input = form?.querySelector("input");
  if (!form || !input) throw new Error("no box");
  expect(form.querySelector("h3")?.textContent).toBe("note on loss 9 at step 2");
  form.dispatchEvent(new Event("submit"));
  await Promise.resolve();
  await Promise.resolve();
  expect(root.querySelector("form .ct-error")?.textContent).toContain("without words");
  input.value = "<b>spike</b>";
  form.dispatchEvent(new Event("submit"));
  await Promise.resolve();
  vi.advanceTimersByTime(50);
  expect(asked.at(-1)).toEqual({ run: "a", metric: "loss", step: 2, text: "<b>spike</b>" });
  expect(root.querySelector("form")).toBeNull();
  expect(root.querySelector(".notes")?.textContent).toBe("step 2: <b>spike</b>");
  expect(root.querySelector(".notes b")).toBeNull();
});

test("earlier runs of the cell stand behind the line, with a word on how this one does, and when it may end", () => {
  const base64 = (column: Float32Array | Float64Array): string => Buffer.from(column.buffer).toString("base64");
  const quartile = (at: number): string => base64(new Float32Array([at, at, at]));
  const band: Band = {
    metric: "loss",
    runs: 14,
    step: base64(new Float64Array([0, 2, 4])),
    low: quartile(1),
    middle: quartile(2),
    high: quartile(3),
  };
  const { root, source, tell } = show();
  tell({ loss: [4, 3, 2, 1], lr: [1, 1, 1, 1] });
  expect(root.querySelectorAll(".gap:not([hidden])").length).toBe(0);
  const held = (beaten: RunState["beaten"]): string[] => {
    const runs = [state("a", { earlier: 14, beaten, left: 190 })];
    source.become(payload({ kind: "chart", bands: [band], runs }));
    vi.advanceTimersByTime(50);
    return [...root.querySelectorAll(".gap:not([hidden])")].map((p) => p.textContent ?? "");
  };
  expect(held({ loss: 0.8 })).toEqual(["better than 80% of 14 earlier runs at this step"]);
  expect(held({ loss: 0.25 })).toEqual(["worse than 75% of 14 earlier runs at this step"]);
  expect(held({})).toEqual(["grey: the middle half of 14 earlier runs"]);
  expect(root.querySelector(".runs")?.textContent).toContain("about 3 m 10 s left");
});

test("a table for a spreadsheet: quotes where they are needed, and no formula", () => {
  expect(
    csv([
      ["run", "=1+2", 'say "hi", there'],
      ["a", -1, 1e-9],
    ]),
  ).toBe('run,\'=1+2,"say ""hi"", there"\na,-1,1e-9\n');
});

test("a picture of nothing is refused in words", () => {
  expect(() => toSvg([], {} as Parameters<typeof toSvg>[1])).toThrow("no plot");
});

test("repeats of one setting are one line with their number, and a note on their mean is nobody's", () => {
  const groupings = [{ by: "all but seed", of: { a: "lr=1", b: "lr=1", c: "lr=2" } }];
  const { root, source, tell } = show({ group: "all but seed" });
  source.become({ ...source.payload(), groupings });
  tell({ "val/loss": [1, 2] }, "a");
  tell({ "val/loss": [3, 4] }, "b");
  tell({ "val/loss": [5, 6] }, "c");
  const rows = (): string[] =>
    [...root.querySelectorAll(".legend tbody tr")].map((tr) =>
      [...tr.querySelectorAll("button, td:not(.at)")].map((one) => one.textContent?.trim()).join(" "),
    );
  expect(rows()).toEqual(["lr=1val n=2 3 2 3", "lr=2val n=1 6 5 6"]);
  const by = root.querySelector<HTMLSelectElement>("select[aria-label='group runs by']");
  expect(by?.value).toBe("all but seed");
  if (by) by.value = "";
  by?.dispatchEvent(new Event("change"));
  vi.advanceTimersByTime(50);
  expect(source.kept.at(-1)?.group).toBe("");
  expect(rows()).toEqual(["a 2 1 2", "b 4 3 4", "c 6 5 6"]);
  expect(root.querySelector(".legend thead .split")?.textContent, "what all lines are of is said once").toBe("val");
});

test("over another metric the plot of that metric is left out, and points stand at its values", () => {
  const { root, source, tell } = show({ x: "epoch" });
  tell({ loss: [1, 2, 3], epoch: [0, 0.5, 1] });
  expect(titles(root)).toEqual(["loss"]);
  const axis = root.querySelector<HTMLSelectElement>("select[aria-label='x axis']");
  if (axis) axis.value = "relative";
  axis?.dispatchEvent(new Event("change"));
  vi.advanceTimersByTime(50);
  expect(source.kept.at(-1)?.x).toBe("relative");
  expect(titles(root)).toEqual(["loss", "epoch"]);
});

test("what others are declared to be drawn over has no plot of its own, once there is something else", () => {
  const { root, source, tell } = show();
  tell({ epoch: [0, 1] });
  expect(titles(root)).toEqual(["epoch"]);
  tell({ loss: [1, 2, 3], epoch: [0, 1, 2] });
  expect(titles(root)).toEqual(["loss", "epoch"]);
  source.tell({ kind: "points", seq: 0, full: false, parts: [], runs: [state("a", { axes: ["epoch"] })] }, []);
  vi.advanceTimersByTime(50);
  expect(titles(root)).toEqual(["loss"]);
});

test("a run that is over and has one value of a metric shows it as a number, not as a plot", () => {
  const { root, source, tell } = show();
  tell({ accuracy: [0.98], loss: [1, 2] });
  const card = (name: string): Element | undefined =>
    [...root.querySelectorAll(".card")].find((one) => one.querySelector("h3")?.textContent === name);
  const heads = (name: string): string[] =>
    [...(card(name)?.querySelectorAll("th.last") ?? [])].map((th) => th.textContent);
  expect(card("accuracy")?.classList.contains("single")).toBe(false); // more may come
  const over = [state("a", { status: "finished" })];
  source.tell({ kind: "points", seq: 0, full: false, parts: [], runs: over }, []);
  vi.advanceTimersByTime(50);
  expect([card("accuracy"), card("loss")].map((one) => one?.classList.contains("single"))).toEqual([true, false]);
  expect([heads("accuracy"), heads("loss")]).toEqual([["value"], ["last"]]);
});

test("a plot whose lines end before a quarter of x has an x axis of its own, says so, and is zoomed where it has points", async () => {
  const blobs: Blob[] = [];
  URL.createObjectURL = (blob: Blob) => `blob:${blobs.push(blob)}`;
  const { root, tell } = show();
  const steps = (n: number): number[] => Array.from({ length: n }, (_, i) => i / n);
  tell({ "train/loss": steps(100), "val/acc": steps(10), "val/f1": steps(25), "val/half": steps(40), lr: [1] });
  const own = "acc · own x axis, to step 9";
  const heads = ["loss", "f1 · own x axis, to step 24", "half", "lr"];
  const shown = (): (string | null)[] => [...titles(root)].sort();
  expect(shown(), "one point is no line").toEqual([own, ...heads].sort());
  const words = (card: string, key: string): string | null | undefined => {
    const found = [...root.querySelectorAll(".card")].find((one) => one.querySelector("h3")?.title === card);
    found?.querySelector(".stage")?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    vi.advanceTimersByTime(50);
    return found?.querySelector("[aria-live]")?.textContent;
  };
  expect(words("acc", "End")).toBe("step 9: val 0.9000");
  expect(words("loss", "End")).toBe("step 99: train 0.9900");
  words("loss", "+"); // from step 49.5 on, where acc has nothing
  expect(shown()).toContain(own);
  expect(words("acc", "End")).toBe("step 9: val 0.9000");
  words("loss", "0");
  words("loss", "Home");
  words("loss", "+"); // up to step 49.5, which shows all of acc
  expect(shown()).toEqual(["acc", "f1", "half", "loss", "lr"]);
  words("loss", "0");
  expect(shown()).toContain(own);

  root.querySelector<HTMLElement>("[aria-haspopup=menu]")?.click();
  const svg = [...root.querySelectorAll<HTMLElement>("[role=menuitem]")].find((one) =>
    one.textContent?.includes("SVG"),
  );
  svg?.click();
  await vi.waitFor(() => expect(blobs.length).toBe(1));
  const picture = await new Promise<string>((give) => {
    const reader = new FileReader();
    reader.onload = () => give(String(reader.result));
    reader.readAsText(blobs[0] as Blob);
  });
  const drawn = new DOMParser().parseFromString(picture, "text/html");
  const texts = [...drawn.querySelectorAll("text")].map((text) => text.textContent);
  expect(texts).toContain(own);
  expect(texts.slice(texts.indexOf(own))).toContain("8"); // a tick of its own axis
});
