// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RowsPage, RunRow, TableOptions } from "../src/contract.ts";
import { mount, TABLE } from "../src/panels/table.ts";
import { inside, layOut, outputArea, type StoodIn, standIn } from "./page.ts";
import { comparison, metric, param, payload, run } from "./rows.ts";

const ANSWER = {
  kind: "answer" as const,
  reply_to: "i1",
  rows: null,
  comparison: null,
  parts: null,
  marks: null,
  comments: null,
  said: null as string | null,
  text: null,
  proposals: null,
  views: null,
  drawn: null,
  listing: null,
  sums: null,
  content: null,
  stale: null as Record<string, string> | null,
  executions: null,
};
const plain: TableOptions = TABLE;
let end: AbortController;

beforeEach(() => {
  layOut();
  end = new AbortController();
});
afterEach(() => {
  end.abort();
  vi.useRealTimers();
});

interface Shown {
  cell: HTMLElement;
  root: ShadowRoot;
  source: StoodIn<TableOptions>;
}

function show(rows: RunRow[], answers: Parameters<typeof standIn>[2] = {}, options = plain): Shown {
  const { cell, output } = outputArea();
  const source = standIn(payload({ rows }), options, answers);
  mount(output, source, end.signal);
  return { cell, root: inside(output), source };
}

const numbered = (n: number): RunRow[] =>
  Array.from({ length: n }, (_, i) => run({ id: `r${i}`, params: { lr: param(i) } }));
const one = <E extends HTMLElement>(root: ParentNode, selector: string): E => {
  const found = root.querySelector<E>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
};
const names = (root: ParentNode): string[] =>
  [...root.querySelectorAll(".ct-body .ct-row")].map((row) => one(row, "[role=rowheader]").textContent ?? "");
const press = (root: ShadowRoot, key: string, held: KeyboardEventInit = {}): void => {
  root.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, ...held }));
};
const at = (root: ShadowRoot): string => {
  const cell = root.activeElement;
  return `${cell?.closest("[role=row]")?.getAttribute("aria-rowindex")}:${cell?.getAttribute("data-column")}`;
};
const type = (root: ShadowRoot, text: string): void => {
  const box = one<HTMLInputElement>(root, ".ct-filter");
  box.value = text;
  box.dispatchEvent(new Event("input"));
};
const focusGrid = (root: ShadowRoot): void => one(root, "[role=grid] [tabindex='0']").focus();
const pressed = (root: ShadowRoot, text: string): void => {
  const button = [...root.querySelectorAll("button")].find((found) => found.textContent?.startsWith(text));
  if (!button) throw new Error(`no button ${text}`);
  button.click();
};

describe("runs that go on", () => {
  const going = (acc: number): RunRow =>
    run({ id: "r1", status: "running", duration: null, metrics: { acc: metric({ last: acc, goal: "max" }) } });
  const others = [run({ id: "r0", metrics: { acc: metric({ last: 0.5, goal: "max" }) } })];

  test("change where they stand; the order is made anew when somebody sorts", () => {
    const { root, source } = show([...others, going(0.1)], {}, { ...plain, sort: ["-metrics.acc"] });
    expect(names(root)).toEqual(["r0", "r1"]);
    source.bring({ kind: "news", rows: [going(0.9)], fresh: 0 });
    expect(names(root)).toEqual(["r0", "r1"]);
    expect(one(root, '[data-key="r1"] [data-column="metrics.acc"]').textContent).toBe("0.9000");
    const head = [...root.querySelectorAll<HTMLElement>("[role=columnheader]")].find((cell) =>
      /last value of acc/.test(cell.title),
    );
    for (let press = 0; press < 3; press++) head?.click();
    expect(names(root)).toEqual(["r1", "r0"]);
  });

  test("the time of one that goes on ticks", () => {
    vi.useFakeTimers({ now: 1_790_000_010_000 });
    const { root } = show([going(0.1)]);
    const cell = one(root, '[data-column="duration"].ct-cell:not([role=columnheader])');
    expect(cell.textContent).toBe("10 s");
    vi.advanceTimersByTime(2000);
    expect(cell.textContent).toBe("12 s");
  });

  test("new ones wait behind a button", async () => {
    const asked = vi.fn(async () => ({ ...ANSWER }));
    const { root, source } = show(others, { ask: asked });
    const bar = one(root, ".ct-fresh");
    expect(bar.hidden).toBe(true);
    source.bring({ kind: "news", rows: [], fresh: 3 });
    expect(names(root)).toEqual(["r0"]);
    expect(bar.textContent).toBe("3 new runs");
    one(root, ".ct-fresh button").click();
    await vi.waitFor(() => expect(bar.hidden).toBe(true));
    expect(asked).toHaveBeenCalledWith({ kind: "renew" });
  });
});

describe("what is out of sight", () => {
  test("an archived run says so and is brought back; a run that does not hold any more says why", async () => {
    vi.useFakeTimers();
    const asked: unknown[] = [];
    const ask = async (wish: { kind: string }): Promise<typeof ANSWER> => {
      asked.push(wish);
      return { ...ANSWER, said: "done", stale: wish.kind === "hold" ? { r0: "data.csv has changed" } : null };
    };
    const { root } = show([run({ id: "r0", archived: true, starred: true })], { ask });
    await vi.advanceTimersByTimeAsync(1000);
    const status = one(root, '[data-key="r0"] [data-column="status"]');
    expect(status.textContent).toBe("finishedstalearchived");
    expect(status.title).toBe("stale: data.csv has changed");
    expect(one(root, '[data-key="r0"] [role=rowheader]').textContent).toBe("★r0");
    focusGrid(root);
    press(root, "a");
    press(root, "s");
    expect(asked.slice(1)).toEqual([
      { kind: "edit", runs: ["r0"], do: "unarchive", text: "" },
      { kind: "edit", runs: ["r0"], do: "unstar", text: "" },
    ]);
  });
});

describe("keys", () => {
  test("one cell can be reached with Tab; arrows, Home, End and pages move from it", () => {
    const { root } = show(numbered(40));
    expect(root.querySelectorAll("[role=grid] [tabindex='0']")).toHaveLength(1);
    focusGrid(root);
    expect(at(root)).toBe("2:name");
    press(root, "ArrowDown");
    press(root, "ArrowRight");
    expect(at(root)).toBe("3:status");
    press(root, "End");
    expect(at(root)).toBe("3:created");
    press(root, "Home");
    expect(at(root)).toBe("3:select");
    press(root, "PageDown");
    expect(at(root)).toBe("15:select");
    press(root, "End", { ctrlKey: true });
    expect(at(root)).toBe("41:created");
    press(root, "Home", { ctrlKey: true });
    expect(at(root)).toBe("1:select");
    press(root, "ArrowUp");
    expect(at(root)).toBe("1:select");
    expect(root.querySelectorAll("[role=grid] [tabindex='0']")).toHaveLength(1);
  });

  test("no key of the table reaches the notebook, where dd deletes the cell", () => {
    const { cell, root } = show(numbered(3));
    const heard = vi.fn();
    cell.addEventListener("keydown", heard);
    focusGrid(root);
    for (const key of ["d", "d", "x", "ArrowDown", "Enter", "/"]) press(root, key);
    press(root, "d");
    expect(heard).not.toHaveBeenCalled();
    expect(one(cell, ".celltrail").dataset.lmSuppressShortcuts).toBe("true");
  });

  test("Enter on a header sorts, shift adds a column, and aria-sort says so", () => {
    const { root, source } = show(numbered(3));
    focusGrid(root);
    press(root, "ArrowUp");
    press(root, "ArrowRight");
    press(root, "ArrowRight");
    expect(at(root)).toBe("1:params.lr");
    press(root, "Enter");
    press(root, "Enter");
    expect(names(root)).toEqual(["r2", "r1", "r0"]);
    expect(root.activeElement?.getAttribute("aria-sort")).toBe("descending");
    press(root, "Home");
    press(root, "ArrowRight");
    press(root, "Enter", { shiftKey: true });
    expect(source.kept.at(-1)?.sort).toEqual(["-params.lr", "name"]);
  });

  test("Space selects, shift with an arrow extends, and the row says so", () => {
    const { root, source } = show(numbered(4));
    focusGrid(root);
    press(root, " ");
    press(root, "ArrowDown", { shiftKey: true });
    expect(source.kept.at(-1)?.selected).toEqual(["r0", "r1"]);
    expect(root.querySelectorAll("[aria-selected=true]")).toHaveLength(2);
    press(root, " ");
    expect(source.kept.at(-1)?.selected).toEqual(["r0"]);
  });

  test("/ goes to the filter, Esc back to the grid, Esc again to what holds the panel", () => {
    const { cell, root } = show(numbered(2));
    focusGrid(root);
    press(root, "/");
    expect(root.activeElement?.className).toBe("ct-filter");
    press(root, "Escape");
    expect(at(root)).toBe("2:name");
    press(root, "Escape");
    expect(document.activeElement).toBe(cell);
  });

  test("the focused cell keeps the focus when its run moves", () => {
    const { root, source } = show(numbered(3));
    focusGrid(root);
    source.become(payload({ rows: [run({ id: "new" }), ...numbered(3)] }));
    expect(at(root)).toBe("3:name");
    expect(root.activeElement?.textContent).toBe("r0");
    press(root, "End", { ctrlKey: true });
    source.become(payload({ rows: numbered(3).reverse() }));
    expect(at(root)).toBe("2:created");
    source.become(payload({ rows: [run({ id: "r2", params: { a: param(1), b: param(2) } })] }));
    expect(at(root)).toBe("2:created");
  });

  test("the focused cell keeps the focus when it is scrolled out of sight", async () => {
    const { root } = show(numbered(200));
    focusGrid(root);
    const grid = one(root, "[role=grid]");
    grid.scrollTop = 4000;
    grid.dispatchEvent(new Event("scroll"));
    await vi.waitFor(() => expect(names(root)).toContain("r145"));
    expect(names(root)).not.toContain("r50");
    expect(at(root)).toBe("2:name");
  });
});

describe("mouse", () => {
  test("a click on a header sorts, on a box selects, with shift through the rows between", () => {
    const { root, source } = show(numbered(5));
    one(root, ".ct-head [data-column='params.lr']").click();
    expect(source.kept.at(-1)?.sort).toEqual(["params.lr"]);
    const boxes = root.querySelectorAll<HTMLElement>(".ct-body [data-column=select]");
    boxes[1]?.click();
    boxes[3]?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
    expect(source.kept.at(-1)?.selected).toEqual(["r1", "r2", "r3"]);
    one(root, ".ct-head [data-column=select]").click();
    expect(source.kept.at(-1)?.selected).toHaveLength(5);
    one(root, ".ct-head [data-column=select]").click();
    expect(source.kept.at(-1)?.selected).toEqual([]);
  });
});

describe("filter", () => {
  test("plain words filter here and ask nobody", () => {
    const query = vi.fn();
    const { root } = show([run({ id: "apple" }), run({ id: "pear" })], { query });
    type(root, "PEA");
    expect(names(root)).toEqual(["pear"]);
    expect(one(root, ".ct-bar").textContent).toContain("1 of 2 runs");
    type(root, "plum");
    expect(root.textContent).toContain("no run matches the filter");
    expect(query).not.toHaveBeenCalled();
  });

  test("an expression goes to the kernel once typing pauses; a late answer to an older one is dropped", async () => {
    vi.useFakeTimers();
    const answers: ((page: RowsPage) => void)[] = [];
    const query = vi.fn(() => new Promise<RowsPage>((answer) => answers.push(answer)));
    const { root } = show(numbered(3), { query });
    type(root, "params.lr <");
    type(root, "params.lr < 1");
    await vi.advanceTimersByTimeAsync(249);
    expect(query).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(query.mock.calls).toEqual([["params.lr < 1"]]);
    type(root, "params.lr < 2");
    await vi.advanceTimersByTimeAsync(250);
    answers[1]?.({ rows: numbered(2), total: 2, hints: [] });
    answers[0]?.({ rows: numbered(1), total: 1, hints: [] });
    await vi.advanceTimersByTimeAsync(0);
    expect(names(root)).toEqual(["r0", "r1"]);
  });

  test("the kernel's sentence stands under the box with its caret line, and the rows stay", async () => {
    vi.useFakeTimers();
    const sentence = "expected a value\n  params.lr <\n             ^";
    const { root } = show(numbered(2), { query: () => Promise.reject(new Error(sentence)) });
    type(root, "params.lr <");
    await vi.advanceTimersByTimeAsync(300);
    expect(one(root, "pre.ct-fault").textContent).toBe(sentence);
    expect(one(root, ".ct-filter").getAttribute("aria-invalid")).toBe("true");
    expect(names(root)).toEqual(["r0", "r1"]);
    type(root, "r1");
    expect(one(root, "pre.ct-fault").textContent).toBe("");
    expect(names(root)).toEqual(["r1"]);
  });

  test("a saved table says that an expression needs the kernel", () => {
    const { root } = show(numbered(2), { kind: "saved" });
    type(root, "params.lr < 1");
    expect(root.textContent).toContain("an expression needs the kernel; plain words work here");
    expect(names(root)).toHaveLength(2);
  });
});

describe("comparing", () => {
  test("two selected runs can be compared below the table, in the order they were selected", async () => {
    const compare = vi.fn((ids: string[]) =>
      Promise.resolve(comparison({ runs: ids.map((id) => run({ id, name: `run ${id}` })) })),
    );
    const { root } = show(numbered(3), { compare }, { ...plain, selected: ["r2", "r0"] });
    pressed(root, "Compare 2 runs");
    expect(root.textContent).toContain("comparing…");
    await vi.waitFor(() => expect(root.querySelectorAll(".ct-facts thead th")).toHaveLength(2));
    expect(compare).toHaveBeenCalledWith(["r2", "r0"]);
    pressed(root, "Close");
    expect(root.querySelector(".ct-facts")).toBeNull();
    pressed(root, "Clear");
    expect(root.querySelectorAll("[aria-selected=true]")).toHaveLength(0);
  });

  test("a refusal is shown in words, and a saved table says beforehand that it cannot", async () => {
    const refusal = { compare: () => Promise.reject(new Error("no run 'r9'")) };
    const { root } = show(numbered(2), refusal, { ...plain, selected: ["r0", "r1"] });
    pressed(root, "Compare");
    await vi.waitFor(() => expect(one(root, ".ct-refusal").textContent).toBe("no run 'r9'"));
    const saved = show(numbered(2), { kind: "saved" }, { ...plain, selected: ["r0", "r1"] });
    expect(one<HTMLButtonElement>(saved.root, ".ct-primary").disabled).toBe(true);
    expect(one(saved.root, ".ct-primary").title).toContain("needs the kernel");
  });
});

describe("words", () => {
  test("no runs yet, said in words that help", () => {
    expect(show([]).root.textContent).toContain("no runs yet; put %%track on a cell");
  });

  test("a failed run shows what kind of error it was, and all of it in the row's title", () => {
    const { root } = show([run({ id: "a", status: "failed", error: "ValueError: loss is nan" })]);
    expect(one(root, "[data-column=status].ct-cell:not([role=columnheader])").textContent).toBe("failedValueError");
    expect(one(root, ".ct-body .ct-row").title).toBe("ValueError: loss is nan");
  });

  test("when the panel does not hold all runs it says how to reach the others", () => {
    const { root, source } = show(numbered(2));
    source.become(payload({ rows: numbered(2), omitted: 998 }));
    expect(root.textContent).toContain("the first 2 of 1,000 runs; the kernel has the others");
  });
});

test("text from a trail is text: planted markup makes no element and runs nothing", async () => {
  const planted = '<img src=x onerror="globalThis.hurt=1"><script>globalThis.hurt=1</script>';
  const bad = run({
    id: planted,
    name: planted,
    project: planted,
    tags: [planted],
    note: planted,
    status: "failed",
    error: planted,
    notebook: planted,
    cell: planted,
    params: { [planted]: param(planted) },
    metrics: { [planted]: metric({}) },
    group: planted,
  });
  const other = run({ id: "other" });
  const fact = { name: planted, words: "", values: [planted, 1], differs: true, goal: "max" as const, verdicts: [] };
  const found = comparison({
    runs: [bad, other],
    facts: [fact],
    params: [fact],
    data: [fact],
    metrics: [fact],
    environment: [fact],
    code: [
      {
        run: "other",
        cell: "",
        lines: [
          { mark: "-", text: planted },
          { mark: "+", text: `${planted}!` },
        ],
      },
    ],
  });
  const answers = { compare: () => Promise.resolve(found), query: () => Promise.reject(new Error(planted)) };
  const { root, source } = show([bad, other], answers, {
    ...plain,
    filter: `${planted}(`,
    selected: [planted, "other"],
  });
  source.become(payload({ title: planted, rows: [bad, other] }));
  pressed(root, "Compare");
  await vi.waitFor(() => expect(root.querySelector(".ct-facts")).not.toBeNull());
  await vi.waitFor(() => expect(one(root, ".ct-fault").textContent).toBe(planted), { timeout: 2000 });
  expect(root.querySelectorAll("img, script")).toHaveLength(0);
  expect(root.textContent?.split(planted).length).toBeGreaterThan(12);
  expect(globalThis).not.toHaveProperty("hurt");
});

test("the head of an argument shows what it is, and above it whose; its whole name is told", () => {
  const params = { "RandomForestClassifier.max_depth": param(4), lr: param(1) };
  const { root } = show([run({ id: "a", params }), run({ id: "b", params })]);
  const told = [...root.querySelectorAll<HTMLElement>("[role=columnheader]")].map((head) => [
    head.title,
    ...[...head.querySelectorAll(".ct-caption, .ct-heading")].map((part) => part.textContent),
  ]);
  expect(told).toContainEqual(["RandomForestClassifier.max_depth", "RandomForestClassifier", "max_depth"]);
  expect(told).toContainEqual(["lr", "param", "lr"]);
});

test("a grid hidden for a moment, as while the theme changes, keeps what it had drawn", async () => {
  const { root } = show(numbered(30));
  const cells = (): number => root.querySelectorAll("[role=grid] [data-column]").length;
  const drawn = cells();
  layOut(0, 0);
  one(root, "[role=grid]").dispatchEvent(new Event("scroll"));
  await new Promise((settled) => requestAnimationFrame(() => requestAnimationFrame(settled)));
  expect(cells()).toBe(drawn);
});

test("when the signal is aborted nothing is left in the page", () => {
  const { cell } = show(numbered(3));
  end.abort();
  expect(cell.querySelector(".celltrail")).toBeNull();
});

test("what is odd about a question stands above the rows, and in the place of those that are missing", () => {
  const { output } = outputArea();
  const hints = ["no run matches", "no run has params.learning_rte; did you mean learning_rate?"];
  mount(output, standIn(payload({ rows: [], hints }), plain), end.signal);
  const said = [...inside(output).querySelectorAll("[role=status]")].map((el) => el.textContent);
  expect(said).toContain(hints.join("; "));
  expect(inside(output).textContent).not.toContain("no runs yet");
});

describe("arranging", () => {
  const headings = (root: ParentNode): (string | undefined)[] =>
    [...root.querySelectorAll<HTMLElement>(".ct-head [data-column]")].map((cell) => cell.dataset.column);

  test("keys on a cell: hide, pin, move and widen its column", () => {
    const { root, source } = show(numbered(3));
    focusGrid(root);
    press(root, "ArrowRight");
    press(root, "h");
    expect(headings(root)).not.toContain("status");
    expect(at(root)).toBe("2:params.lr");
    press(root, ">");
    expect(headings(root).slice(2)).toEqual(["duration", "params.lr", "created"]);
    press(root, "p");
    expect(headings(root).slice(2)).toEqual(["params.lr", "duration", "created"]);
    press(root, "+");
    expect(source.kept.at(-1)?.widths["params.lr"]).toBeGreaterThan(0);
    press(root, "0");
    expect(source.kept.at(-1)?.widths).toEqual({});
  });

  test("the menu of a cell lists what its keys do, arrows walk it, Esc gives the focus back", () => {
    const { root, source } = show(numbered(3));
    focusGrid(root);
    press(root, "ArrowRight");
    press(root, "?");
    const items = [...root.querySelectorAll("[role=menu] button")].map((item) => item.textContent);
    expect(items).toContain("Hideh");
    press(root, "ArrowDown");
    expect(root.activeElement?.textContent).toBe("Rename…F2");
    press(root, "Escape");
    expect(root.querySelector("[role=menu]")).toBeNull();
    expect(at(root)).toBe("2:status");
    press(root, "?");
    press(root, "End");
    press(root, "ArrowUp");
    (root.activeElement as HTMLElement).click();
    expect(source.kept.at(-1)?.widths.status).toBeDefined();
  });

  test("a box in the list of columns takes one away and brings it back", () => {
    const { root } = show(numbered(3));
    pressed(root, "Columns");
    const box = (): HTMLInputElement => {
      const label = [...root.querySelectorAll("[role=dialog] label")].find((found) => found.textContent === "lr");
      return one<HTMLInputElement>(label as HTMLElement, "input");
    };
    box().click();
    expect(headings(root)).not.toContain("params.lr");
    expect(root.querySelector("[role=dialog]")?.textContent).toContain("3 of 4 columns shown");
    box().click();
    expect(headings(root)).toEqual(["select", "name", "status", "params.lr", "duration", "created"]);
  });

  test("grouped: a tree of which a group opens and closes, and whose box selects its runs", () => {
    const rows = [1, 1, 2].map((lr, i) => run({ id: `r${i}`, params: { lr: param(lr) } }));
    const { root, source } = show(rows);
    pressed(root, "Group");
    const offer = [...root.querySelectorAll<HTMLElement>("[role=menu] button")].find((one) => one.textContent === "lr");
    offer?.click();
    const grid = one(root, "[role=treegrid]");
    const groups = (): HTMLElement[] => [...grid.querySelectorAll<HTMLElement>("[aria-expanded]")];
    expect(groups().map((row) => row.getAttribute("aria-level"))).toEqual(["1", "1"]);
    expect(names(root)).toEqual(["▾lr = 1(2)", "r0", "r1", "▾lr = 2(1)", "r2"]);
    one(groups()[0] as HTMLElement, "[data-column=select]").click();
    expect(source.kept.at(-1)?.selected).toEqual(["r0", "r1"]);
    expect(groups()[0]?.getAttribute("aria-selected")).toBe("true");
    one(groups()[0] as HTMLElement, "[role=rowheader]").click();
    expect(groups()[0]?.getAttribute("aria-expanded")).toBe("false");
    expect(names(root)).toEqual(["▸lr = 1(2)", "▾lr = 2(1)", "r2"]);
    press(root, "Enter");
    expect(names(root)).toHaveLength(5);
  });

  test("b makes a run the baseline: first, said in words, the others with their differences", () => {
    const acc = (id: string, best: number): RunRow =>
      run({ id, metrics: { acc: metric({ goal: "max", best, last: best }) } });
    const { root } = show([acc("x", 0.5), acc("y", 0.75)]);
    focusGrid(root);
    press(root, "ArrowDown");
    press(root, "b");
    expect(names(root)).toEqual(["ybaseline", "x"]);
    expect(one(root, ".ct-body [data-key=x] [data-column='best.acc'] .ct-delta").textContent).toBe("▽−0.2500");
    press(root, "b");
    expect(names(root)).toEqual(["x", "y"]);
  });
});

describe("changing", () => {
  const answer = (id: string, said: string): Awaited<ReturnType<StoodIn<TableOptions>["ask"]>> => ({
    kind: "answer",
    reply_to: id,
    rows: null,
    comparison: null,
    said,
    text: null,
    proposals: null,
    views: null,
    drawn: null,
    parts: null,
    listing: null,
    sums: null,
    content: null,
    stale: null,
    executions: null,
    marks: null,
    comments: null,
  });
  const tagged = (): RunRow[] => [run({ id: "x", tags: ["old"] }), run({ id: "y" })];
  const keyIn = (root: ShadowRoot, text: string): void => {
    const field = root.activeElement as HTMLInputElement;
    field.value = text;
    press(root, "Enter", { ctrlKey: true });
  };

  test("a run is renamed in place, and u takes it back by the id of the change", async () => {
    const ask = vi.fn((wish) => Promise.resolve(answer("e1", wish.kind === "edit" ? "renamed 1 run" : "took it back")));
    const { root } = show(tagged(), { ask });
    focusGrid(root);
    press(root, "F2");
    expect((root.activeElement as HTMLInputElement).value).toBe("x");
    keyIn(root, "better");
    await vi.waitFor(() => expect(one(root, ".ct-foot").textContent).toContain("renamed 1 run"));
    expect(ask).toHaveBeenCalledWith({ kind: "edit", runs: ["x"], do: "rename", text: "better" });
    expect(at(root)).toBe("2:name");
    press(root, "u");
    await vi.waitFor(() => expect(one(root, ".ct-foot").textContent).toContain("took it back"));
    expect(ask).toHaveBeenLastCalledWith({ kind: "undo", edit: "e1" });
  });

  test("selected runs are changed together, and those that went are selected no more", async () => {
    const ask = vi.fn(() => Promise.resolve(answer("e1", "archived 2 runs")));
    const { root, source } = show(tagged(), { ask }, { ...plain, selected: ["y", "x"] });
    pressed(root, "Change");
    const items = [...root.querySelectorAll<HTMLElement>("[role=menu] button")];
    expect(items.map((item) => item.textContent)).toContain("Archive 2 runsa");
    items.find((item) => item.textContent?.startsWith("Archive"))?.click();
    await vi.waitFor(() => expect(source.kept.at(-1)?.selected).toEqual([]));
    expect(ask).toHaveBeenCalledWith({ kind: "edit", runs: ["y", "x"], do: "archive", text: "" });
  });

  test("tags: a box for each there is, half on where only some runs have it, and a line for a new one", async () => {
    const ask = vi.fn(() => Promise.resolve(answer("e1", "tagged")));
    const { root } = show(tagged(), { ask }, { ...plain, selected: ["x", "y"] });
    focusGrid(root);
    press(root, "t");
    const box = one<HTMLInputElement>(root, "[role=dialog] input[type=checkbox]");
    expect([box.checked, box.indeterminate]).toEqual([false, true]);
    box.click();
    expect(ask).toHaveBeenLastCalledWith({ kind: "edit", runs: ["x", "y"], do: "tag", text: "old" });
    keyIn(root, " new ");
    expect(ask).toHaveBeenLastCalledWith({ kind: "edit", runs: ["x", "y"], do: "tag", text: "new" });
  });

  test("a refusal is said in words; a saved table says beforehand that it cannot", async () => {
    const { root } = show(tagged(), { ask: () => Promise.reject(new Error("the name '' has none")) });
    focusGrid(root);
    press(root, "F2");
    keyIn(root, " ");
    await vi.waitFor(() => expect(one(root, ".ct-foot .ct-error").textContent).toBe("the name '' has none"));
    const saved = show(tagged(), { kind: "saved" });
    focusGrid(saved.root);
    press(saved.root, "F2");
    expect(saved.root.querySelector("[role=dialog]")).toBeNull();
    press(saved.root, "?");
    const rename = [...saved.root.querySelectorAll<HTMLButtonElement>("[role=menu] button")].find((found) =>
      found.textContent?.startsWith("Rename"),
    );
    expect([rename?.disabled, rename?.title]).toEqual([true, "changing runs needs the kernel: run the cell again"]);
  });
});

describe("copying", () => {
  const written = (text: string): Awaited<ReturnType<StoodIn<TableOptions>["ask"]>> => ({
    kind: "answer",
    reply_to: "w1",
    rows: null,
    comparison: null,
    said: null,
    text,
    proposals: null,
    views: null,
    drawn: null,
    parts: null,
    listing: null,
    sums: null,
    content: null,
    stale: null,
    executions: null,
    marks: null,
    comments: null,
  });
  const rows = (): RunRow[] =>
    [1, 2].map((lr, i) =>
      run({ id: `r${i}`, params: { lr: param(lr) }, metrics: { acc: metric({ goal: "max", best: lr }) } }),
    );
  const offer = (root: ShadowRoot, words: string): HTMLButtonElement => {
    pressed(root, "Copy");
    const found = [...root.querySelectorAll<HTMLButtonElement>("[role=menu] button")].find((one) =>
      one.textContent?.includes(words),
    );
    if (!found) throw new Error(`no offer ${words}`);
    return found;
  };
  let clipboard: string[];
  beforeEach(() => {
    clipboard = [];
    const writeText = (text: string): Promise<void> => Promise.resolve(void clipboard.push(text));
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText } });
  });

  test("LaTeX is asked of the kernel: the runs shown in their order, the columns shown", async () => {
    const ask = vi.fn(() => Promise.resolve(written("\\begin{tabular}")));
    const { root } = show(rows(), { ask }, { ...plain, sort: ["-params.lr"], columns: ["params.lr", "best.acc"] });
    offer(root, "LaTeX").click();
    await vi.waitFor(() => expect(clipboard).toEqual(["\\begin{tabular}"]));
    expect(ask).toHaveBeenCalledWith({
      kind: "write",
      form: "latex",
      runs: ["r1", "r0"],
      columns: ["name", "params.lr", "best.acc"],
      rows: [],
      cols: [],
      value: null,
    });
    expect(one(root, ".ct-foot").textContent).toContain("copied 2 runs");
  });

  test("a table of rows x columns is seen before it is copied, and a refusal is seen in its place", async () => {
    const ask = vi.fn((wish) =>
      wish.kind === "write" && wish.cols.length > 0
        ? Promise.reject(new Error("no run has 'params.x'"))
        : Promise.resolve(written(`${wish.kind === "write" ? wish.form : ""} text`)),
    );
    const { root } = show(rows(), { ask });
    offer(root, "rows × columns").click();
    const shown = one(root, ".ct-written");
    await vi.waitFor(() => expect(shown.textContent).toBe("latex text"));
    expect(ask).toHaveBeenLastCalledWith(
      expect.objectContaining({ form: "latex", rows: ["params.lr"], cols: [], value: "best.acc" }),
    );
    one<HTMLInputElement>(root, "input[value=markdown]").click();
    await vi.waitFor(() => expect(shown.textContent).toBe("markdown text"));
    const cols = one<HTMLSelectElement>(root, "select[aria-label=columns]");
    cols.value = "status";
    cols.dispatchEvent(new Event("change"));
    await vi.waitFor(() => expect(shown.textContent).toBe("no run has 'params.x'"));
    const copy = [...root.querySelectorAll("[role=dialog] button")].find((found) => found.textContent === "Copy");
    (copy as HTMLButtonElement).click();
    expect(clipboard).toEqual([]);
    cols.value = "";
    cols.dispatchEvent(new Event("change"));
    await vi.waitFor(() => expect(shown.textContent).toBe("markdown text"));
    (copy as HTMLButtonElement).click();
    await vi.waitFor(() => expect(clipboard).toEqual(["markdown text"]));
  });

  test("a saved table still gives Markdown and a spreadsheet's lines, and says why not LaTeX", async () => {
    const { root } = show(rows(), { kind: "saved" }, { ...plain, columns: ["params.lr"] });
    offer(root, "Markdown").click();
    await vi.waitFor(() => expect(clipboard[0]).toContain("| r0 | 1 |"));
    expect(offer(root, "LaTeX").title).toBe("this form needs the kernel: run the cell again");
  });
});

describe("writing a filter", () => {
  const proposals = [
    { start: 0, end: 6, text: "params.lr", kind: "param", runs: 3 },
    { start: 0, end: 6, text: "params.layers", kind: "param", runs: 1 },
  ];
  const asked = (): ReturnType<typeof vi.fn<StoodIn<TableOptions>["ask"]>> =>
    vi.fn(() =>
      Promise.resolve({
        kind: "answer" as const,
        reply_to: "c",
        rows: null,
        comparison: null,
        said: null,
        text: null,
        proposals,
        views: null,
        drawn: null,
        parts: null,
        listing: null,
        sums: null,
        content: null,
        stale: null,
        executions: null,
        marks: null,
        comments: null,
      }),
    );

  test("proposals come under the box; Down chooses, Enter takes the chosen, Tab the first, Esc closes", async () => {
    const ask = asked();
    const { root } = show(numbered(3), { ask });
    const box = one<HTMLInputElement>(root, ".ct-filter");
    box.focus();
    type(root, "params");
    await vi.waitFor(() => expect(root.querySelectorAll("[role=option]")).toHaveLength(2));
    expect(ask).toHaveBeenCalledWith({ kind: "complete", where: "params", cursor: 6 });
    expect(box.getAttribute("aria-expanded")).toBe("true");
    press(root, "ArrowDown");
    press(root, "ArrowDown");
    expect(one(root, "[role=option][aria-selected=true]").id).toBe(box.getAttribute("aria-activedescendant"));
    press(root, "Enter");
    expect(box.value).toBe("params.layers");
    expect(root.querySelector("[role=option]")).toBeNull();
    type(root, "params");
    await vi.waitFor(() => expect(root.querySelectorAll("[role=option]")).toHaveLength(2));
    press(root, "Tab");
    expect(box.value).toBe("params.lr");
    type(root, "params");
    await vi.waitFor(() => expect(root.querySelectorAll("[role=option]")).toHaveLength(2));
    press(root, "Escape");
    expect([root.activeElement === box, box.value]).toEqual([true, "params"]);
  });

  test("f on a cell writes a condition on its column into the box, and asks it", async () => {
    const query = vi.fn(() => Promise.resolve({ rows: numbered(1), total: 1, hints: [] }));
    const { root } = show(numbered(3), { query });
    focusGrid(root);
    press(root, "ArrowRight");
    press(root, "f");
    expect(one(root, "[role=dialog] h3").textContent).toBe("only runs whose status is");
    press(root, "Enter");
    await vi.waitFor(() => expect(query).toHaveBeenCalledWith('status == "finished"'));
    press(root, "ArrowRight");
    press(root, "f");
    const number = one<HTMLInputElement>(root, "[role=dialog] input[type=number]");
    number.value = "0.5";
    press(root, "Enter");
    await vi.waitFor(() => expect(query).toHaveBeenLastCalledWith('status == "finished" and params.lr <= 0.5'));
  });
});

describe("views", () => {
  const nothing = { rows: null, comparison: null, text: null, proposals: null } as const;
  const answered = (said: string | null): Awaited<ReturnType<StoodIn<TableOptions>["ask"]>> => ({
    kind: "answer",
    reply_to: "v",
    ...nothing,
    said,
    views: [{ name: "paper", where: "params.lr < 1" }],
    drawn: null,
    parts: null,
    listing: null,
    sums: null,
    content: null,
    stale: null,
    executions: null,
    marks: null,
    comments: null,
  });
  const items = (root: ShadowRoot): HTMLElement[] => [...root.querySelectorAll<HTMLElement>("[role=menu] button")];

  test("one is opened: its runs, and how they were looked at", async () => {
    const table = { ...plain, sort: ["-name"], columns: ["params.lr"] };
    const ask = vi.fn((wish) => {
      if (wish.kind === "open_view") source.become(payload({ rows: numbered(2), title: "params.lr < 1", table }));
      return Promise.resolve(answered(null));
    });
    const { root, source } = show(numbered(3), { ask }, { ...plain, selected: ["r2"] });
    pressed(root, "Views");
    await vi.waitFor(() => expect(items(root).map((item) => item.textContent)).toContain("paper: params.lr < 1"));
    items(root)[1]?.click();
    await vi.waitFor(() => expect(names(root)).toEqual(["r1", "r0"]));
    expect(ask).toHaveBeenLastCalledWith({ kind: "open_view", name: "paper" });
    expect(one(root, ".ct-title").textContent).toBe("params.lr < 1");
    const headings = [...root.querySelectorAll<HTMLElement>(".ct-head [data-column]")];
    expect(headings.map((cell) => cell.dataset.column)).toEqual(["select", "name", "params.lr"]);
  });

  test("what is shown is kept under a name: an expression narrows its question", async () => {
    const ask = vi.fn(() => Promise.resolve(answered("saved the view mine")));
    const query = (): Promise<RowsPage> => Promise.resolve({ rows: numbered(1), total: 1, hints: [] });
    const { root } = show(numbered(3), { ask, query }, { ...plain, filter: "params.lr < 1", sort: ["name"] });
    pressed(root, "Views");
    await vi.waitFor(() => expect(items(root).length).toBeGreaterThan(0));
    items(root).at(-1)?.click();
    (root.activeElement as HTMLInputElement).value = "mine";
    press(root, "Enter");
    await vi.waitFor(() => expect(one(root, ".ct-foot").textContent).toContain("saved the view mine"));
    expect(ask).toHaveBeenLastCalledWith({
      kind: "save_view",
      name: "mine",
      where: "params.lr < 1",
      options: { ...plain, sort: ["name"] },
    });
  });
});

test("the curves of the selected runs are drawn below, and follow the selection as long as they are open", async () => {
  const drawn = { runs: [], series: [], groupings: [], omitted: 3 };
  const nothing = {
    rows: null,
    comparison: null,
    said: null,
    text: null,
    proposals: null,
    views: null,
    parts: null,
    listing: null,
    sums: null,
    content: null,
    stale: null,
    executions: null,
    marks: null,
    comments: null,
  } as const;
  const ask = vi.fn(() => Promise.resolve({ kind: "answer" as const, reply_to: "d", ...nothing, drawn }));
  const { root } = show(numbered(3), { ask }, { ...plain, selected: ["r1"] });
  pressed(root, "Chart");
  await vi.waitFor(() => expect(one(root, ".celltrail[data-kind=plots]")).toBeTruthy());
  expect(ask).toHaveBeenLastCalledWith({ kind: "draw", runs: ["r1"] });
  expect(root.textContent).toContain("3 curves left out");
  one(root, ".ct-body [data-key=r0] [data-column=select]").click();
  await vi.waitFor(() => expect(ask).toHaveBeenLastCalledWith({ kind: "draw", runs: ["r1", "r0"] }));
  pressed(root, "Clear");
  expect(root.textContent).toContain("select runs to see their curves");
  expect(root.querySelector(".celltrail[data-kind=plots]")).toBeNull();
  pressed(root, "Close");
  one(root, ".ct-body [data-key=r0] [data-column=select]").click();
  await new Promise((later) => setTimeout(later, 250));
  expect(ask).toHaveBeenCalledTimes(2);
});
