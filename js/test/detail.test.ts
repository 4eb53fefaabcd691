// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Answer, Detail, DetailOptions, Replaying, ReplayVerdict } from "../src/contract.ts";
import { DETAIL, mount } from "../src/panels/detail.ts";
import { said } from "../src/server.ts";
import { panels } from "./messages.ts";
import { inside, layOut, outputArea, type StoodIn, standIn } from "./page.ts";
import { payload, run, state } from "./rows.ts";

let end: AbortController;
beforeEach(() => {
  layOut();
  globalThis.IntersectionObserver = class {
    observe(): void {}
    disconnect(): void {}
  } as unknown as typeof IntersectionObserver;
  end = new AbortController();
});
afterEach(() => end.abort());

const some: Detail = {
  run: run({ id: "01AAAAAA", name: "mlp" }),
  sections: [
    { tab: "summary", title: "params", heads: ["name", "value", "line"], rows: [["lr", 0.1, 2]], more: 0 },
    { tab: "history", title: "problems", heads: ["problem"], rows: [["<b>bold</b>"]], more: 3 },
  ],
  code: "%%track\nlr = 0.1\n",
  outputs: [{ kind: "stdout", media: "text/plain", data: "epoch 1", said: "" }],
  traceback: "",
  comments: [],
  replay: null,
  replayable: true,
};

function show(change: Partial<Detail>, options = DETAIL): [ShadowRoot, StoodIn<DetailOptions>] {
  const { output } = outputArea();
  const source = standIn<DetailOptions>(payload({ kind: "detail", detail: { ...some, ...change } }), options);
  mount(output, source, end.signal);
  return [inside(output), source];
}

const tabs = (root: ShadowRoot): HTMLElement[] => [...root.querySelectorAll<HTMLElement>("[role=tab]")];
const sheet = (root: ShadowRoot): string => root.querySelector("[role=tabpanel]")?.textContent ?? "";
const press = (tab: HTMLElement | undefined, key: string): void => {
  tab?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
};

test("a run without points begins with its summary; code and outputs stand before the rest", () => {
  const [root] = show({});
  expect(tabs(root).map((tab) => tab.textContent)).toEqual(["summary", "code", "outputs", "history", "comments"]);
  expect(tabs(root)[0]?.getAttribute("aria-selected")).toBe("true");
  expect(sheet(root)).toContain("lr");
});

const ended = state("a", { status: "finished", step: null, seconds: 3, points: 0 });

test("curves of the machine alone stand behind the summary", () => {
  const names = [["sys/cpu"], ["sys/cpu", "loss"]].map((metrics) => {
    const { output } = outputArea();
    const runs = [{ ...ended, points: 5 }]; // an evaluation has points, but no curves
    const series = metrics.map((metric) => ({ run: "a", metric, n: 0, step: "", seconds: "", value: "" }));
    mount(output, standIn<DetailOptions>(payload({ kind: "detail", detail: some, series, runs }), DETAIL), end.signal);
    return tabs(inside(output)).map((tab) => tab.textContent);
  });
  expect(names).toEqual([
    ["summary", "code", "outputs", "charts", "history", "comments"],
    ["charts", "summary", "code", "outputs", "history", "comments"],
  ]);
});

test("arrows move along the tabs and round their ends; the tab shown is kept", () => {
  const [root, source] = show({});
  press(tabs(root)[0], "ArrowLeft");
  expect(sheet(root)).toContain("nobody has said anything yet");
  press(tabs(root)[4], "ArrowLeft");
  expect(sheet(root)).toContain("and 3 more rows");
  press(tabs(root)[3], "End");
  press(tabs(root)[4], "ArrowRight");
  expect(sheet(root)).toContain("lr");
  expect(source.kept.map(({ tab }) => tab)).toEqual(["comments", "history", "comments", "summary"]);
});

test("the tab that was shown last is shown again", () => {
  const [root] = show({}, { ...DETAIL, tab: "code" });
  expect(sheet(root)).toContain("lr = 0.1");
});

test("markup of a run is text wherever it stands", () => {
  const evil = '<img src=x onerror="window.bad = 1">';
  const [root] = show({
    run: run({ id: "a", name: evil, error: evil, note: evil, tags: [evil] }),
    sections: [{ tab: evil, title: evil, heads: [evil, evil], rows: [[evil, evil]], more: 0 }],
    code: evil,
    outputs: [{ kind: "display", media: "text/html", data: evil, said: evil }],
    traceback: evil,
    comments: [{ by: evil, time: 1, text: evil }],
  });
  for (const tab of tabs(root)) tab.click();
  expect(root.querySelectorAll("img").length).toBe(0);
});

test("a picture is shown as one, with words for who cannot see it", () => {
  const [root] = show({ outputs: [{ kind: "display", media: "image/png", data: "iVBORw0K", said: "" }] });
  tabs(root)[2]?.click();
  expect(root.querySelector("img")?.alt).toBe("display of the cell");
});

test("the traceback of a run without outputs stands among them, without its colours", () => {
  const [root] = show({ outputs: [], traceback: "\u001b[31mValueError\u001b[39m: gone" });
  tabs(root)[2]?.click();
  expect(sheet(root)).toBe("ValueError: gone");
});

test("what Python saved of a run begins with its curves", () => {
  const saved = panels.find((panel) => panel.kind === "detail");
  const { output } = outputArea();
  mount(output, standIn<DetailOptions>(payload(saved ?? {}), DETAIL), end.signal);
  expect(tabs(inside(output))[0]?.textContent).toBe("charts");
});

test("a replay is asked for, followed and stopped; its verdict stands under the name of the run", async () => {
  const verdict: ReplayVerdict = {
    verdict: "drifted",
    text: "drifted, first here: loss at step 0",
    at: 1_700_000_000,
    facts: ["2 executions", "0 of 12 points identical"],
    over: "may explain it",
    causes: ["the file <b>a.csv</b> has changed"],
  };
  const { output } = outputArea();
  const source = standIn<DetailOptions>(payload({ kind: "detail", detail: { ...some, replay: verdict } }), DETAIL);
  const asked: unknown[] = [];
  let hear: (told: Replaying) => void = () => {};
  source.ask = (wish) => {
    asked.push(wish);
    return Promise.reject(new Error("run 'mlp' was recorded by somebody else"));
  };
  source.replaying = (listener) => {
    hear = listener;
  };
  let lose = (): void => {};
  source.lost = (listener) => {
    lose = listener;
  };
  mount(output, source, end.signal);
  const root = inside(output);
  expect(root.querySelector(".ct-replayed")?.textContent).toContain("may explain it:the file <b>a.csv</b> has changed");
  const button = root.querySelector<HTMLButtonElement>(".ct-replays button");
  button?.click();
  expect(asked).toEqual([{ kind: "replay", run: "01AAAAAA", do: "start" }]);
  await Promise.resolve();
  await Promise.resolve();
  expect(root.querySelector(".ct-replays [role=status]")?.textContent).toContain("recorded by somebody else");
  const told = { kind: "replaying" as const, run: "01AAAAAA", text: "replaying mlp", code: "lr = 0.1", seconds: 3 };
  hear({ ...told, done: 1, total: 4, over: false });
  expect(root.querySelector(".ct-replays")?.textContent).toContain("stopcell 2 of 4 · 3.0 slr = 0.1");
  expect(root.querySelector("progress")?.value).toBe(1);
  button?.click();
  expect(asked.at(-1)).toEqual({ kind: "replay", run: "01AAAAAA", do: "stop" });
  hear({ ...told, text: "the replay was stopped", done: 1, total: 4, over: true });
  expect(root.querySelector(".ct-replays")?.textContent).toContain("replaythe replay was stopped");
  lose();
  expect(root.querySelector(".ct-replays")?.textContent).toContain("replaythe replay was stopped");
  hear({ ...told, done: 1, total: 4, over: false });
  lose();
  expect(root.querySelector(".ct-replays")?.textContent).toContain("replaythe kernel that it was asked of is gone");
});

test("where there is no kernel, or the run cannot be replayed, nothing asks for it", () => {
  const [root] = show({});
  expect(root.querySelector(".ct-replays")).toBeNull();
});

test("a comment is said, stands in the thread, or says why it cannot be kept; without a kernel nobody is asked", async () => {
  const first = { by: "ada", time: 1_700_000_000, text: "why so slow?" };
  const second = { by: "ben", time: 1_700_000_100, text: "the disk" };
  const asked: unknown[] = [];
  const answered = (wish: unknown): Promise<Answer> => {
    asked.push(wish);
    const refused = new Error("a comment without words cannot be kept");
    return asked.length > 1 ? Promise.reject(refused) : Promise.resolve(said("1", { comments: [first, second] }));
  };
  const held = payload({ kind: "detail", detail: { ...some, comments: [first] } });
  const { output } = outputArea();
  mount(output, standIn(held, { ...DETAIL, tab: "comments" }, { ask: answered }), end.signal);
  const root = inside(output);
  const thread = (): string[] => [...root.querySelectorAll(".ct-thread li")].map((one) => one.textContent ?? "");
  expect(thread().map((text) => /ada.*why so slow/.test(text))).toEqual([true]);
  const [words, send] = [root.querySelector("textarea"), root.querySelector<HTMLButtonElement>(".ct-saying button")];
  if (words) words.value = "the disk";
  send?.click();
  await vi.waitFor(() => expect(thread().length).toBe(2));
  expect(asked).toEqual([{ kind: "comment", run: "01AAAAAA", text: "the disk" }]);
  expect(words?.value).toBe("");
  await vi.waitFor(() => expect(send?.disabled).toBe(false));
  send?.click();
  await vi.waitFor(() => expect(root.querySelector("[role=alert]")?.textContent).toContain("without words"));
  const reopened = outputArea().output;
  mount(reopened, standIn(held, { ...DETAIL, tab: "comments" }, { kind: "saved" }), end.signal);
  expect(inside(reopened).querySelectorAll(".ct-thread li").length).toBe(1);
  expect(inside(reopened).querySelector("textarea")).toBeNull();
});
