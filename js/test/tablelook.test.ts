import { describe, expect, test } from "vitest";
import type { RunRow, TableOptions } from "../src/contract.ts";
import { deltaOf, departs } from "../src/ui/table/baseline.ts";
import { type Column, columnsOf, headsOf } from "../src/ui/table/columns.ts";
import { aggregateOf, BUT_SEEDS, isGroup } from "../src/ui/table/grouping.ts";
import { meanInterval } from "../src/ui/table/interval.ts";
import { runsOf, TableModel } from "../src/ui/table/model.ts";
import { arranged, moveBefore, moveBy, resized, showColumn, UNTOUCHED } from "../src/ui/table/options.ts";
import { metric, param, run } from "./rows.ts";

const seeded = (id: string, lr: number, seed: number, acc: number | "nan"): RunRow =>
  run({
    id,
    params: { lr: param(lr), seed: param(seed), epochs: param(20) },
    metrics: { "val/acc": metric({ goal: "max", best: acc, last: acc }) },
  });
const four = [seeded("a", 0.1, 1, 0.8), seeded("b", 0.1, 2, 0.9), seeded("c", 0.01, 1, 0.5), seeded("d", 0.01, 2, 0.7)];
const column = (id: string, rows: RunRow[] = four): Column => {
  const found = columnsOf(headsOf(rows)).find((one) => one.id === id);
  if (!found) throw new Error(`no column ${id}`);
  return found;
};
const looked = (rows: RunRow[], change: Partial<TableOptions>): TableModel => {
  const model = new TableModel({ ...UNTOUCHED, ...change });
  model.read(rows);
  return model;
};

describe("columns", () => {
  const columns = columnsOf(headsOf(four));
  const shown = (options: Partial<TableOptions>): string[] =>
    arranged(columns, { ...UNTOUCHED, ...options }, new Set(["params.epochs"]), 4).columns.map((one) => one.id);

  test("those chosen, in the order chosen; pinned ones stand beside the name, constant ones go where asked", () => {
    expect(shown({ columns: ["params.seed", "gone", "status"] })).toEqual(["select", "name", "params.seed", "status"]);
    expect(shown({ columns: ["status", "params.lr"], pinned: ["params.lr"] })).toEqual([
      "select",
      "name",
      "params.lr",
      "status",
    ]);
    expect(shown({ differing: true })).not.toContain("params.epochs");
    expect(shown({ differing: true, columns: ["params.epochs"], group: ["params.epochs"] })).toContain("params.epochs");
  });

  test("one is put before another, never before the name, and pinned ones among themselves only", () => {
    const put = (id: string, before: string | null, options: Partial<TableOptions> = {}): unknown =>
      moveBefore({ ...UNTOUCHED, columns: ["status", "params.lr", "created"], ...options }, columns, id, before);
    expect(put("created", "params.lr")).toEqual({ columns: ["status", "created", "params.lr"] });
    expect(put("status", null)).toEqual({ columns: ["params.lr", "created", "status"] });
    expect(put("status", "name")).toEqual({});
    expect(put("status", "params.lr", { pinned: ["params.lr"] })).toEqual({});
    expect(put("created", "status", { pinned: ["status", "created"] })).toEqual({ pinned: ["created", "status"] });
  });

  test("a step to the left or right; at the edges nothing happens", () => {
    const options = { ...UNTOUCHED, columns: ["status", "params.lr", "created"] };
    const ids = ["select", "name", "status", "params.lr", "created"];
    const step = (id: string, by: -1 | 1): unknown => moveBy(options, columns, ids, id, by);
    expect(step("params.lr", 1)).toEqual({ columns: ["status", "created", "params.lr"] });
    expect(step("params.lr", -1)).toEqual({ columns: ["params.lr", "status", "created"] });
    expect(step("status", -1)).toEqual({});
    expect(step("created", 1)).toEqual({ columns: ["status", "params.lr", "created"] });
  });

  test("a hidden one comes back where it belongs, and widths stay within reason", () => {
    const hidden = showColumn({ ...UNTOUCHED, pinned: ["params.lr"] }, columns, "params.lr", false);
    expect(hidden.columns).not.toContain("params.lr");
    expect(hidden.pinned).toEqual([]);
    const back = showColumn({ ...UNTOUCHED, ...hidden }, columns, "params.lr", true).columns;
    expect(back).toEqual(columns.map((one) => one.id).filter((id) => id !== "select" && id !== "name"));
    expect(resized(UNTOUCHED, "status", 3).widths).toEqual({ status: 48 });
    expect(resized({ ...UNTOUCHED, widths: { status: 99 } }, "status", null).widths).toEqual({});
  });
});

describe("groups", () => {
  test("all parameters but seeds: one group for each learning rate, with mean and interval", () => {
    const { entries, runs } = looked(four, { group: [BUT_SEEDS] }).seen(false);
    expect(entries.map((entry) => (isGroup(entry) ? entry.title : entry.id))).toEqual([
      "lr = 0.1",
      "a",
      "b",
      "lr = 0.01",
      "c",
      "d",
    ]);
    expect(runs).toHaveLength(4);
    const [group] = entries;
    if (!group || !isGroup(group)) throw new Error("no group");
    const told = group.says(column("best.val/acc"));
    expect(told.key).toBeCloseTo(0.85, 12);
    expect(told.text).toBe("0.8500 ± 0.64");
    expect(told.title).toContain("mean of 2 runs, 95% interval 0.2147 to 1.485; 0.8000 to 0.9000");
    expect(group.says(column("params.seed"))).toEqual({ text: "2 values", title: "1, 2", key: 2 });
    expect(group.says(column("params.lr")).text).toBe("0.1");
    expect(group.says(column("status")).text).toBe("2 finished");
  });

  test("groups sort by what they show, their runs inside them; a closed one keeps its runs", () => {
    const sorted = looked(four, { group: ["params.lr"], sort: ["best.val/acc"] }).seen(false).entries;
    expect(sorted.map((entry) => (isGroup(entry) ? entry.title : entry.id))).toEqual([
      "lr = 0.01",
      "c",
      "d",
      "lr = 0.1",
      "a",
      "b",
    ]);
    const [first] = sorted;
    const closed = looked(four, {
      group: ["params.lr"],
      sort: ["best.val/acc"],
      folded: [`${first?.id}`],
      selected: ["c", "d"],
    }).seen(false);
    expect(closed.entries.map((entry) => entry.id)).toEqual([first?.id, sorted[3]?.id, "a", "b"]);
    expect(closed.runs).toHaveLength(4);
    expect(closed.selected.has(`${first?.id}`)).toBe(true);
    expect(runsOf(closed.entries, [`${first?.id}`, "a"])).toEqual(["c", "d", "a"]);
  });

  test("a run without a number is left out of the mean and said", () => {
    const told = aggregateOf(column("best.val/acc"), [...four.slice(0, 2), seeded("e", 0.1, 3, "nan")]);
    expect(told.title).toContain("1 without a number");
  });

  test.each([
    [[1, 2], 1.5, 6.353],
    [[1, 2, 3, 4, 5], 3, 1.963],
    [Array.from({ length: 61 }, (_, i) => i % 2), 30 / 61, 0.1291],
  ])("the interval is Student's", (values, mean, half) => {
    const found = meanInterval(values);
    expect(found.mean).toBeCloseTo(mean, 10);
    expect(found.half).toBeCloseTo(half, 3);
  });
});

describe("baseline", () => {
  const [a, b] = four as [RunRow, RunRow];

  test("a difference has a sign, an arrow that is hollow where it is worse, and words", () => {
    const up = deltaOf(column("best.val/acc"), b, a);
    expect(up).toMatchObject({ text: "▲+0.1000", verdict: "better" });
    expect(up?.title).toBe("+0.1000 (+12.50%) against a: better; higher is better");
    expect(deltaOf(column("best.val/acc"), a, b)).toMatchObject({ text: "▽−0.1000", verdict: "worse" });
    const loss = (id: string, best: number): RunRow => run({ id, metrics: { loss: metric({ goal: "min", best }) } });
    const losses = [loss("x", 2), loss("y", 1)] as [RunRow, RunRow];
    expect(deltaOf(column("best.loss", losses), losses[1], losses[0])).toMatchObject({
      text: "▼−1",
      verdict: "better",
    });
    expect(deltaOf(column("duration"), { ...a, duration: 72 }, a)).toMatchObject({ text: "▲+1 m", verdict: "" });
  });

  test("no difference where a number is missing or it is none to be measured", () => {
    expect(deltaOf(column("best.val/acc"), seeded("n", 1, 1, "nan"), a)).toBeNull();
    expect(deltaOf(column("params.lr"), four[2] as RunRow, a)).toBeNull();
    expect(departs(column("params.lr"), four[2] as RunRow, a)).toBe(true);
    expect(departs(column("params.lr"), b, a)).toBe(false);
  });

  test("it stands first, also when the filter would hide it, and once", () => {
    const model = looked(four, { baseline: "c", sort: ["name"] });
    expect(model.seen(false).entries.map((entry) => entry.id)).toEqual(["c", "a", "b", "d"]);
    model.words = "a";
    expect(model.seen(false).entries[0]?.id).toBe("c");
    model.words = "nothing like it";
    expect(model.seen(false).entries).toEqual([]);
  });
});
