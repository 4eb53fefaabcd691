// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RunRow, Trail } from "../src/contract.ts";
import { unpack } from "../src/server.ts";
import { type RunListOwner, runList } from "../src/ui/runlist/list.ts";
import { foremost } from "../src/ui/runlist/row.ts";
import { layOut } from "./page.ts";
import { metric, run } from "./rows.ts";

const trail: Trail = { id: "T", name: "project", folder: "project", live: 1 };
const live = run({ id: "live", status: "running", metrics: { loss: metric({ last: 0.5 }) } });
const done = [run({ id: "a", tags: ["mlp"] }), run({ id: "b", status: "failed", error: "ValueError: no" })];
let end: AbortController;

beforeEach(() => {
  layOut();
  vi.useFakeTimers();
  end = new AbortController();
});
afterEach(() => {
  end.abort();
  vi.useRealTimers();
  document.body.replaceChildren();
});

interface Shown {
  root: ShadowRoot;
  owner: { [Name in Exclude<keyof RunListOwner, "code">]: ReturnType<typeof vi.fn> };
  look(): void;
}

async function show(rest: readonly RunRow[] = done, change: Partial<RunListOwner> = {}): Promise<Shown> {
  const page = (rows: readonly RunRow[]) => ({ rows: [...rows], trails: rows.map(() => "T"), total: rows.length });
  const owner = {
    trails: vi.fn(async () => [trail]),
    rows: vi.fn(async (_: string, where: string) => page(where.startsWith("not") ? rest : [live])),
    complete: vi.fn(async () => []),
    open: vi.fn(),
    compare: vi.fn(),
    table: vi.fn(),
    code: { label: "insert code", title: "", take: vi.fn(() => "open a notebook first") },
    change: vi.fn(async () => "tagged 1 run best"),
    visible: vi.fn(() => true),
    ...change,
  };
  const into = document.createElement("div");
  document.body.append(into);
  const { look } = runList(into, owner as unknown as RunListOwner, end.signal);
  await vi.advanceTimersByTimeAsync(10);
  const root = into.querySelector(".celltrail")?.shadowRoot;
  if (!root) throw new Error("no list");
  return { root, owner: owner as unknown as Shown["owner"], look };
}

const items = (root: ShadowRoot): HTMLElement[] => [...root.querySelectorAll<HTMLElement>("[role=option]")];
const words = (root: ShadowRoot): string[] => items(root).map((item) => item.textContent ?? "");
const button = (root: ShadowRoot, text: string): HTMLButtonElement => {
  const found = [...root.querySelectorAll("button")].find((one) => one.textContent === text);
  if (!found) throw new Error(`no button ${text}`);
  return found;
};

describe("the list of runs", () => {
  test("live runs stand on top, with their metric as it moves, and keep their element", async () => {
    const { root, owner } = await show();
    expect(words(root).map((text) => text.slice(0, 12))).toEqual([
      expect.stringContaining("live"),
      expect.stringContaining("a"),
      expect.stringContaining("b"),
    ]);
    const [first] = items(root);
    expect(first?.textContent).toContain("loss 0.5000");
    owner.rows.mockImplementation(async (_: string, where: string) => ({
      rows: where.startsWith("not") ? done : [{ ...live, metrics: { loss: metric({ last: 0.25 }) } }],
      trails: ["T", "T"],
      total: 2,
    }));
    await vi.advanceTimersByTimeAsync(2100);
    expect(items(root)[0]).toBe(first);
    expect(first?.textContent).toContain("loss 0.2500");
  });

  test("nothing is asked for while nobody sees it", async () => {
    const { owner } = await show();
    owner.visible.mockReturnValue(false);
    await vi.advanceTimersByTimeAsync(2100);
    const asked = owner.rows.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(owner.rows.mock.calls.length).toBe(asked);
  });

  test("a run is opened by the keyboard, two are compared, and the sentence of a refusal is shown", async () => {
    const { root, owner } = await show();
    const press = (key: string, held: KeyboardEventInit = {}): void => {
      root.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, ...held }));
    };
    items(root)[0]?.focus();
    press("ArrowDown");
    press("Enter");
    expect(owner.open.mock.calls).toEqual([["T", expect.objectContaining({ id: "a" })]]);
    press("ArrowDown");
    press(" ");
    button(root, "compare").click();
    expect(owner.compare.mock.calls).toEqual([["T", ["a", "b"]]]);
    button(root, "insert code").click();
    await vi.advanceTimersByTimeAsync(1);
    expect(root.querySelector(".ct-rl-said")?.textContent).toBe("open a notebook first");
  });

  test("a tag is written in a box and said in the words of who did it", async () => {
    const { root, owner } = await show();
    items(root)[1]?.click();
    button(root, "tag").click();
    const box = root.querySelector<HTMLInputElement>(".ct-rl-foot input");
    if (!box) throw new Error("no box");
    box.value = "best";
    box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    await vi.advanceTimersByTimeAsync(10);
    expect(owner.change.mock.calls).toEqual([["T", ["a"], "tag", "best"]]);
    expect(root.querySelector(".ct-rl-said")?.textContent).toBe("tagged 1 run best");
  });

  test("runs stand in groups with their counts, which stay closed; what is closed is not selected by keys", async () => {
    localStorage.clear();
    const rest = [
      run({ id: "t2", parent: "s", came_of: "sweep @ 3" }),
      run({ id: "other", project: "vision", notebook: "deep/work.ipynb", cell: "c" }),
      run({ id: "t1", parent: "s", came_of: "sweep" }),
      run({ id: "s", name: "sweep" }),
    ];
    const { root } = await show(rest);
    const groups = (): string[] =>
      [...root.querySelectorAll<HTMLElement>("section")].map(
        (group) => `${group.getAttribute("aria-label")} ${group.querySelector(".ct-rl-count")?.textContent}`,
      );
    const choose = async (by: string): Promise<void> => {
      const choice = root.querySelector<HTMLSelectElement>("[aria-label='group runs by']");
      if (!choice) throw new Error("no choice");
      choice.value = by;
      choice.dispatchEvent(new Event("change"));
      await vi.advanceTimersByTimeAsync(10);
    };
    await choose("sweep");
    expect(groups()).toEqual(["running 1", "sweep 3", "of no sweep 1"]);
    await choose("folder");
    expect(groups()).toContain("deep 1");
    await choose("project");
    expect(groups()).toContain("vision 1");
    await choose("sweep");
    root.querySelectorAll<HTMLElement>(".ct-rl-title")[1]?.click();
    items(root)[0]?.focus();
    root.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    expect(root.activeElement?.textContent).toContain("other");
    const again = await show(rest);
    const closed = [...again.root.querySelectorAll(".ct-rl-title[aria-expanded=false]")].map((one) => one.textContent);
    expect(closed).toEqual(["sweep3"]);
    localStorage.clear();
  });

  test("plain words become a full-text search, an expression is asked as it is", async () => {
    const { root, owner } = await show();
    const type = async (text: string): Promise<string[]> => {
      const box = root.querySelector<HTMLInputElement>("input.ct-filter");
      if (!box) throw new Error("no filter");
      box.value = text;
      box.dispatchEvent(new Event("input"));
      owner.rows.mockClear();
      await vi.advanceTimersByTimeAsync(400);
      return owner.rows.mock.calls.map(([, where]) => where as string);
    };
    expect(await type("one cycle")).toContain(`status == 'running' and (search("one cycle"))`);
    expect(await type("params.lr < 1")).toContain("not (status == 'running') and (params.lr < 1)");
  });

  test("it says what is missing: no trail, no run, no server", async () => {
    const none = await show([], { trails: async () => [] });
    expect(none.root.querySelector(".ct-rl-none")?.textContent).toContain("no runs yet");
    const gone = await show([], { trails: () => Promise.reject(new Error("this Jupyter server has no celltrail")) });
    expect(gone.root.querySelector(".ct-rl-none")?.textContent).toBe("this Jupyter server has no celltrail");
  });

  test("runs of all trails stand together, each with its trail; what is done to them is done there", async () => {
    const other: Trail = { id: "U", name: "elsewhere", folder: null, live: 0 };
    const rows = async (trails: readonly string[], where: string) => {
      const all = [
        ["T", run({ id: "a" })],
        ["U", run({ id: "a" })],
      ] as const;
      const found = where.startsWith("not") ? all.filter(([id]) => trails.includes(id)) : [];
      return { rows: found.map(([, row]) => row), trails: found.map(([id]) => id), total: found.length };
    };
    const { root, owner } = await show([], { trails: async () => [trail, other], rows });
    const [first, second] = items(root);
    expect([first?.textContent, second?.textContent].map((text) => /project|elsewhere/.exec(text ?? "")?.[0])).toEqual([
      "project",
      "elsewhere",
    ]);
    first?.click();
    second?.dispatchEvent(new MouseEvent("click", { bubbles: true, ctrlKey: true }));
    expect(button(root, "compare").disabled).toBe(true);
    expect(button(root, "compare").title).toContain("different trails");
    button(root, "archive").click();
    await vi.advanceTimersByTimeAsync(10);
    expect(owner.change.mock.calls.map(([where, runs]) => [where, runs])).toEqual([
      ["T", ["a"]],
      ["U", ["a"]],
    ]);
    const choice = root.querySelector("select");
    if (!choice) throw new Error("no choice");
    choice.value = "U";
    choice.dispatchEvent(new Event("change"));
    await vi.advanceTimersByTimeAsync(10);
    expect(items(root)).toHaveLength(1);
    expect(items(root)[0]?.textContent).not.toContain("elsewhere");
  });

  test("names from a trail are never markup", async () => {
    const evil = "<img src=x onerror=alert(1)>";
    const { root } = await show([
      run({ id: "x", name: evil, tags: [evil], note: evil, metrics: { [evil]: metric({}) } }),
    ]);
    expect(root.querySelectorAll("img").length).toBe(0);
    expect(words(root).join()).toContain(evil);
  });
});

test("validation before training, what is foremost before the rest, the machine's load never", () => {
  const named = (...names: string[]) => foremost(Object.fromEntries(names.map((name) => [name, metric({})])));
  expect(named("train/loss", "val/loss", "lr")).toBe("val/loss");
  expect(named("train/acc", "val/loss")).toBe("train/acc");
  expect(named("sys/cpu", "zeta")).toBe("zeta");
  expect(named("sys/cpu")).toBeUndefined();
});

test("a block of numbers begins at the next multiple of eight", () => {
  const head = new TextEncoder().encode(JSON.stringify({ kind: "points", seq: 0, full: true, parts: [], runs: [] }));
  const at = Math.ceil((4 + head.length) / 8) * 8;
  const body = new ArrayBuffer(at + 16);
  new DataView(body).setUint32(0, head.length, true);
  new Uint8Array(body, 4).set(head);
  new Float64Array(body, at).set([1.5, Number.NaN]);
  const [points, data] = unpack(body);
  expect(points.full).toBe(true);
  expect([...data]).toEqual([1.5, Number.NaN]);
});
