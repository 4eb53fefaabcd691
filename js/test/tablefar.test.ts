// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Answer, GroupOf, RunRow, Summed, TableOptions } from "../src/contract.ts";
import { mount, TABLE } from "../src/panels/table.ts";
import type { Wish } from "../src/source.ts";
import { inside, layOut, outputArea, type StoodIn, standIn } from "./page.ts";
import { metric, param, payload, run } from "./rows.ts";

const N = 3000;
const rows = Array.from({ length: N }, (_, i) =>
  run({ id: `r${i}`, params: { lr: param((i * 7) % N) }, metrics: { acc: metric({ best: i / N, goal: "max" }) } }),
);
const byId = new Map(rows.map((row) => [row.id, row]));
const EMPTY: Answer = {
  kind: "answer",
  reply_to: "",
  rows: null,
  comparison: null,
  parts: null,
  marks: null,
  comments: null,
  said: null,
  text: null,
  proposals: null,
  views: null,
  drawn: null,
  listing: null,
  sums: null,
  stale: null,
  executions: null,
  content: null,
};
const HEADS = [
  { id: "name", numeric: false, goal: "none", same: false },
  { id: "status", numeric: false, goal: "none", same: true },
  { id: "params.lr", numeric: true, goal: "none", same: false },
  { id: "best.acc", numeric: true, goal: "max", same: false },
  { id: "metrics.acc", numeric: true, goal: "max", same: false },
] as const;
const MEAN: Summed = { known: 1500, unknown: 0, mean: 0.5, half: 0.01, low: 0, high: 1, values: [], kinds: 3000 };

/** The row of a run with no more of its params and metrics than these columns. */
function part(id: string, columns: readonly string[]): RunRow {
  const row = byId.get(id) as RunRow;
  const has = columns.some((column) => /^(metrics|best)\.acc$/.test(column));
  return { ...row, params: columns.includes("params.lr") ? row.params : {}, metrics: has ? row.metrics : {} };
}

/** A kernel that lists by one column, groups into halves, and hands out rows. */
function kernel(asked: Wish[]): (wish: Wish) => Promise<Answer> {
  return async (wish) => {
    asked.push(wish);
    switch (wish.kind) {
      case "list": {
        if (wish.where.includes(">>>")) throw new Error("this cannot be read as an expression");
        const found = rows.filter((row) => wish.words === "" || row.name.includes(wish.words));
        if (wish.sort[0] === "-params.lr")
          found.sort((a, b) => Number(b.params.lr?.value) - Number(a.params.lr?.value));
        const ids = found.map((row) => row.id);
        const half = (values: string[]): GroupOf => ({ values, size });
        const groups = wish.group.length > 0 ? [half(["low"]), half(["high"])] : null;
        const extent = wish.stamp === "s" ? null : { stamp: "s", runs: [...byId.keys()], heads: [...HEADS] };
        const places = Uint32Array.from(ids, (id) => Number(id.slice(1)));
        const first = ids.slice(0, wish.first).map((id) => part(id, wish.shown));
        const told = wish.columns.length > 0 ? { groups: [], best: { "best.acc": ["r2999"] } } : null;
        return {
          ...EMPTY,
          listing: { extent, places: Buffer.from(places.buffer).toString("base64"), groups, hints: [] },
          rows: wish.first > 0 ? { rows: first, total: N, hints: [] } : null,
          sums: told,
        };
      }
      case "fetch":
        return { ...EMPTY, rows: { rows: wish.runs.map((id) => part(id, wish.columns)), total: N, hints: [] } };
      case "sum": {
        const sums = Object.fromEntries(wish.columns.map((id) => [id, MEAN]));
        return {
          ...EMPTY,
          sums: { groups: wish.group.length > 0 ? [sums, sums] : [], best: { "best.acc": ["r2999"] } },
        };
      }
      case "learn":
        return EMPTY;
      default:
        throw new Error(`nobody asks for ${wish.kind} here`);
    }
  };
}

let end: AbortController;
let size: number; // of a group
let asked: Wish[];
beforeEach(() => {
  layOut();
  vi.useFakeTimers();
  end = new AbortController();
  asked = [];
  size = N / 2;
});
afterEach(() => {
  end.abort();
  vi.useRealTimers();
});

async function show(options: Partial<TableOptions> = {}): Promise<{ root: ShadowRoot; source: StoodIn<TableOptions> }> {
  const { output } = outputArea();
  const state = payload({ rows: rows.slice(0, 60), omitted: N - 60 });
  const source = standIn<TableOptions>(state, { ...TABLE, ...options }, { ask: kernel(asked) });
  mount(output, source, end.signal);
  await vi.advanceTimersByTimeAsync(500);
  return { root: inside(output), source };
}
const grid = (root: ShadowRoot): HTMLElement => root.querySelector('[role="grid"], [role="treegrid"]') as HTMLElement;
const names = (root: ShadowRoot): string[] =>
  [...root.querySelectorAll(".ct-body [role=rowheader]")].map((cell) => cell.textContent ?? "");
const kinds = (): string[] => asked.map((wish) => wish.kind);
const scroll = async (root: ShadowRoot, row: number): Promise<void> => {
  grid(root).scrollTop = row * 28;
  grid(root).dispatchEvent(new Event("scroll"));
  await vi.advanceTimersByTimeAsync(500);
};

describe("more runs than a panel holds", () => {
  test("that the kernel was asked for another order is seen in the heads at once, the rows follow its answer", async () => {
    const { root } = await show();
    const head = root.querySelector('[role=columnheader][data-column="params.lr"]') as HTMLElement;
    const first = (): string | undefined =>
      root.querySelector<HTMLElement>('.ct-body [aria-rowindex="2"]')?.dataset.key;
    head.click();
    head.click();
    expect([head.getAttribute("aria-sort"), first()]).toEqual(["descending", "r0"]);
    await vi.advanceTimersByTimeAsync(500);
    expect([head.getAttribute("aria-sort"), first()]).toEqual(["descending", "r857"]);
    expect(head.isConnected).toBe(true); // the columns are those they were
  });

  test("all of them can be scrolled to; their rows come as they are looked at", async () => {
    const { root } = await show();
    expect(grid(root).getAttribute("aria-rowcount")).toBe(String(N + 1));
    expect(names(root)[0]).toBe("r0");
    expect(kinds()).toContain("list");
    asked.length = 0;
    await scroll(root, 2000);
    expect(names(root)).toContain("r2000");
    const fetched = asked.flatMap((wish) => (wish.kind === "fetch" ? [wish] : []));
    expect(fetched.map((wish) => wish.sparks)).toEqual([false, true]);
    expect(fetched[0]?.runs.length).toBeLessThan(60);
    expect(fetched.map((wish) => wish.columns.includes("params.lr"))).toEqual([true, false]); // curves come alone
    const said = (column: string): string =>
      root.querySelector(`.ct-body [aria-rowindex="2002"] [data-column="${column}"]`)?.textContent ?? "";
    expect([said("params.lr"), said("best.acc")]).toEqual([String((2000 * 7) % N), "0.6667"]);
    asked.length = 0;
    await scroll(root, 2000);
    expect(kinds().filter((kind) => kind !== "hold")).toEqual([]);
  });

  test("a column that nobody looked at before is asked for, and said once it is here", async () => {
    const { root, source } = await show({ columns: ["status", "best.acc"] });
    await scroll(root, 2000);
    const said = (): string | undefined =>
      root.querySelector(`.ct-body [aria-rowindex="2002"] [data-column="params.lr"]`)?.textContent ?? undefined;
    expect(said()).toBeUndefined();
    asked.length = 0;
    const columns = [...root.querySelectorAll("button")].find((each) => each.textContent?.startsWith("Columns"));
    columns?.click();
    const choices = [...root.querySelectorAll("[role=dialog] label")];
    choices
      .find((label) => label.textContent === "lr")
      ?.querySelector("input")
      ?.click();
    expect(said()).toBe(""); // never what is not set
    await vi.advanceTimersByTimeAsync(500);
    expect(said()).toBe(String((2000 * 7) % N));
    expect(source.kept.at(-1)?.columns).toContain("params.lr");
    expect(asked.flatMap((wish) => (wish.kind === "fetch" ? [wish.columns] : []))[0]).toEqual(["params.lr"]);
  });

  test("the kernel sorts; rows that are here are not asked for again", async () => {
    const { root, source } = await show();
    const head = [...root.querySelectorAll<HTMLElement>("[role=columnheader]")].find((cell) => /lr/.test(cell.title));
    head?.click();
    head?.click();
    asked.length = 0;
    await vi.advanceTimersByTimeAsync(500);
    expect(asked.filter((wish) => wish.kind === "fetch" && !wish.sparks)).toEqual([]); // they came with the order
    expect(kinds()).not.toContain("sum");
    expect(source.kept.at(-1)?.sort).toEqual(["-params.lr"]);
    const highest = rows.reduce((a, b) => (Number(b.params.lr?.value) > Number(a.params.lr?.value) ? b : a));
    expect(names(root)[0]).toBe(highest.name);
  });

  test("the kernel is told beforehand that words will be looked for", async () => {
    const { root } = await show();
    expect(kinds()).not.toContain("learn");
    root.querySelector<HTMLInputElement>(".ct-filter")?.focus();
    expect(kinds().at(-1)).toBe("learn");
  });

  test("a grouped table keeps room for verdicts only where repeats are judged", async () => {
    const wide = async (repeats: number): Promise<number> => {
      size = repeats;
      const { root } = await show({ group: ["params.lr"], baseline: "r0" });
      const head = root.querySelector<HTMLElement>('[role=columnheader][data-column="best.acc"]');
      return Number.parseFloat(head?.style.width ?? "0");
    };
    expect((await wide(N / 2)) - (await wide(1))).toBeGreaterThan(100);
  });

  test("words go to the kernel, and so do expressions, whose fault is told at the box", async () => {
    const { root } = await show();
    const box = root.querySelector<HTMLInputElement>(".ct-filter") as HTMLInputElement;
    const type = async (text: string): Promise<void> => {
      box.value = text;
      box.dispatchEvent(new Event("input"));
      await vi.advanceTimersByTimeAsync(700);
    };
    await type("r299");
    expect(grid(root).getAttribute("aria-rowcount")).toBe("12");
    await type("params.lr >>> 3");
    expect(root.querySelector(".ct-fault")?.textContent).toContain("cannot be read");
    await type("");
    expect(grid(root).getAttribute("aria-rowcount")).toBe(String(N + 1));
  });

  test("groups come with their runs, and with means of what is in view", async () => {
    const { root } = await show({ group: ["status"] });
    expect(root.querySelector("[role=treegrid]")?.getAttribute("aria-rowcount")).toBe(String(N + 3));
    const first = root.querySelector('.ct-body [aria-level="1"]');
    expect(first?.textContent).toContain("low(1500)");
    expect(first?.querySelector('[data-column="best.acc"]')?.textContent).toBe("0.5000 ± 0.01");
  });

  test("all are selected with one press, and the best of all is bold though it was not in view", async () => {
    const { root, source } = await show();
    root.querySelector<HTMLElement>('.ct-head [data-column="select"]')?.click();
    expect(source.kept.at(-1)?.selected).toHaveLength(N);
    await scroll(root, N);
    expect(root.querySelector('[data-key="r2999"] [data-column="best.acc"] strong')).not.toBeNull();
  });

  test("after an edit the rows in view are read again, and never empty meanwhile", async () => {
    const { root, source } = await show();
    await scroll(root, 1000);
    byId.set("r1000", run({ ...(byId.get("r1000") as RunRow), name: "renamed" }));
    source.become(payload({ rows: rows.slice(0, 60), omitted: N - 60 }));
    expect(names(root)).not.toContain("…");
    await vi.advanceTimersByTimeAsync(500);
    expect(names(root)).toContain("renamed");
    byId.set("r1000", rows[1000] as RunRow);
  });
});
