// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Answer, Content, EvaluatedRun, EvaluationOptions, EvaluationShown } from "../src/contract.ts";
import { EVALUATION, mount } from "../src/panels/evaluation.ts";
import { keptRows } from "../src/ui/evaluation/picked.ts";
import { inside, layOut, outputArea, type StoodIn, standIn } from "./page.ts";
import { payload } from "./rows.ts";

const EVIL = "<img src=x onerror=alert(1)>";

let end: AbortController;
beforeEach(() => {
  layOut();
  end = new AbortController();
});
afterEach(() => end.abort());

const evaluated = (change: Partial<EvaluatedRun> & { run: string }): EvaluatedRun => ({
  name: change.run,
  rows: 10,
  scores: [],
  confusion: [],
  curves: [],
  dots: [],
  bins: [],
  residuals: [],
  scatter: [],
  heads: ["id", "truth", "output", "score", "correct"],
  worst: [
    [7, "cat", "dog", 0.9, false],
    [3, "dog", "cat", 0.2, false],
  ],
  fairness: null,
  ...change,
});
const score = (value: number, name = "accuracy"): EvaluatedRun["scores"][number] => ({
  name,
  value,
  low: value - 0.1,
  high: value + 0.05,
  method: "wilson",
  goal: "max",
});
const two: EvaluationShown = {
  split: "val",
  task: "binary",
  labels: ["cat", "dog"],
  edges: [],
  span: [],
  omitted: 0,
  runs: [
    evaluated({
      run: "a",
      name: EVIL,
      scores: [score(0.8)],
      confusion: [
        [4, 1],
        [1, 4],
      ],
      curves: [
        { kind: "roc", label: "dog", x: [0, 0, 1], y: [0, 0.8, 1] },
        { kind: "precision_recall", label: "dog", x: [0, 1], y: [1, 0.5] },
      ],
      bins: [
        { label: "dog", low: 0, high: 0.1, predicted: 0.05, observed: 0, rows: 6 },
        { label: "dog", low: 0.9, high: 1, predicted: 0.95, observed: 1, rows: 4 },
      ],
    }),
    evaluated({ run: "b", scores: [score(0.9), score(0.5, "f1")], confusion: [[5, 0], [1, 4]] }), // biome-ignore format: a matrix
  ],
};
const rows: Content = {
  media: "", said: "", text: null, counts: [], edges: [], heads: ["id", "truth"], rows: [[7, EVIL]], more: 3,
}; // biome-ignore format: empty but for the rows

function show(
  evaluations: EvaluationShown[],
  answers: Parameters<typeof standIn>[2] = {},
): { root: ShadowRoot; source: StoodIn<EvaluationOptions> } {
  const { output } = outputArea();
  const source = standIn<EvaluationOptions>(payload({ kind: "evaluation", evaluations }), EVALUATION, answers);
  mount(output, source, end.signal);
  return { root: inside(output), source };
}

const press = (el: Element | null, key: string): void => {
  el?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
};

test("metrics stand side by side with their intervals, the best in bold; names are never markup", () => {
  const { root } = show([two]);
  expect(root.querySelector("img")).toBeNull();
  expect([...root.querySelectorAll(".scores strong")].map((best) => best.textContent)).toEqual(["0.9000"]);
  expect(root.querySelector(".interval")?.textContent).toBe("0.7000 to 0.8500");
  expect(root.querySelectorAll(".scores tbody tr")).toHaveLength(2);
  expect([...root.querySelectorAll("figcaption")].map((caption) => caption.textContent)).toEqual([
    `${EVIL}truth down, predicted across`,
    "btruth down, predicted across",
    "ROC",
    "precision over recall",
    "calibration",
  ]);
});

test("groups stand with their rates and gaps, small ones named; names are never markup", () => {
  const rate = (value: number) => score(value, "selection_rate");
  const fairness = {
    positive: "1",
    few: 30,
    gaps: [score(0.25, "dpd/age"), { ...score(0.5, "dpr/age"), low: "nan" as const, high: "nan" as const }],
    groups: [
      { feature: "age", group: EVIL, rows: 90, scores: [rate(0.5)] },
      { feature: "age", group: "over 60", rows: 4, scores: [{ ...rate(0.25), value: "nan" as const }] },
    ],
    heads: ["slice", "n"],
    slices: [[`age=${EVIL}`, 90]],
  };
  const { root } = show([{ ...two, runs: [evaluated({ run: "a", fairness })] }]);
  expect(root.querySelector("img")).toBeNull();
  expect([...root.querySelectorAll(".gaps li")].map((gap) => gap.textContent)).toEqual([
    "demographic parity difference 0.25000.1500 to 0.3000",
    "demographic parity ratio 0.5000no interval",
    "a group has fewer than 30 rows: the gaps may rest on it",
  ]);
  const lines = [...root.querySelectorAll("table[aria-label='rates by age'] tbody tr")].map((line) => line.textContent);
  expect(lines).toEqual([`${EVIL}900.5000`, "over 604 few–"]);
  expect(root.querySelectorAll(".fair svg")).toHaveLength(1);
});

test("a cell of the confusion matrix asks for its rows, by mouse and by arrows and Enter's own click", async () => {
  const asked: unknown[] = [];
  const { root } = show([two], {
    ask: (wish) => {
      asked.push(wish);
      return Promise.resolve({ content: rows } as Answer);
    },
  });
  const cells = [...root.querySelectorAll<HTMLButtonElement>(".confusion button")];
  expect(cells.slice(0, 4).map((cell) => cell.textContent)).toEqual(["4", "1", "1", "4"]);
  expect(cells.slice(0, 4).map((cell) => cell.tabIndex)).toEqual([0, -1, -1, -1]);
  cells[0]?.focus();
  press(cells[0] ?? null, "ArrowRight");
  expect(root.activeElement).toBe(cells[1]);
  expect(cells[1]?.getAttribute("aria-label")).toBe("truth cat, predicted dog: 1 row");
  cells[1]?.click();
  await new Promise((done) => setTimeout(done));
  expect(asked).toMatchObject([{ kind: "pick", run: "a", split: "val", of: "confusion", truth: "cat", output: "dog" }]);
  const table = root.querySelector(".picked");
  expect(table?.textContent).toContain(`truth cat, predicted dog, of ${EVIL}`);
  expect(table?.textContent).toContain("and 3 more rows");
});

test("a dot of the calibration is a button that tells what it is; a refusal is said", async () => {
  const { root } = show([two], { ask: () => Promise.reject(new Error("the kernel is gone")) });
  const [first, second] = root.querySelectorAll(".spot");
  expect(first?.getAttribute("aria-label")).toContain("predicted 0 to 0.1, came true 0 of 6 rows");
  press(first ?? null, "ArrowRight");
  expect(root.activeElement).toBe(second);
  press(second ?? null, "Enter");
  await new Promise((done) => setTimeout(done));
  expect(root.querySelector("[role=alert]")?.textContent).toBe("the kernel is gone");
});

test("residuals have a bar for each range that has rows", () => {
  const regression: EvaluationShown = {
    ...two,
    task: "regression",
    labels: [],
    edges: [-2, -1, 0, 1, 2],
    runs: [evaluated({ run: "a", residuals: [1, 0, 5, 2] })],
  };
  const { root } = show([regression]);
  expect([...root.querySelectorAll(".spot")].map((bar) => bar.getAttribute("aria-label"))).toEqual([
    "-2 to -1: 1 row",
    "0 to 1: 5 rows",
    "1 to 2: 2 rows",
  ]);
});

test("curves are a table for who does not see them, and shares are shown on request", () => {
  const { root, source } = show([two]);
  const told = [...root.querySelectorAll(".plot table")].map((table) => table.querySelector("caption")?.textContent);
  expect(told).toEqual(["ROC", "precision over recall", "calibration"]);
  root.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
  expect(root.querySelector(".confusion button")?.textContent).toBe("80%");
  expect(source.kept.at(-1)).toMatchObject({ shares: true });
});

test("one of several splits is shown, and nothing evaluated is said", () => {
  const { root } = show([two, { ...two, split: "test" }]);
  const split = root.querySelector<HTMLSelectElement>("[aria-label=split]");
  expect(split?.hidden).toBe(false);
  expect(show([]).root.textContent).toContain("nothing was evaluated: run.evaluate");
});

test("a saved panel shows those of the rows that are in the file", () => {
  const { root } = show([two], { kind: "saved" });
  expect(root.querySelector(".picked .title")?.textContent).toBe(`most wrong, of ${EVIL}`);
  root.querySelectorAll<HTMLButtonElement>(".confusion button")[1]?.click();
  expect([...root.querySelectorAll(".picked tbody tr")].map((row) => row.firstElementChild?.textContent)).toEqual([
    "7",
  ]);
  expect(root.querySelector(".picked")?.textContent).toContain("run the cell again to see all");
  root.querySelectorAll<HTMLButtonElement>(".confusion button")[0]?.click();
  expect(root.querySelector(".picked")?.textContent).toContain("none of these rows is in the file");
});

test("kept rows are found by range too", () => {
  const run = evaluated({ run: "a", heads: ["id", "error"], worst: [[1, -3], [2, 0.5]] }); // biome-ignore format: rows
  const asked = {
    split: "val",
    run: "a",
    of: "residuals" as const,
    truth: "",
    output: "",
    low: 0,
    high: 1,
    output_low: 0,
    output_high: 0,
  };
  expect(keptRows(run, asked)).toEqual([[2, 0.5]]);
});

test("a threshold stands on both curves, and behind it is what it takes wrongly, also in a file", async () => {
  const dots = [0.2, 0.7].map((threshold) => ({ label: "dog", threshold, fpr: 0.25, recall: 0.5, precision: 0.8 }));
  const [run] = two.runs;
  const shown: EvaluationShown = { ...two, runs: [{ ...(run ?? evaluated({ run: "a" })), dots }] };
  const asked: unknown[] = [];
  const ask = (wish: unknown): Promise<Answer> => {
    asked.push(wish);
    return Promise.resolve({ content: { ...rows, said: "2 of 4 found" } } as Answer);
  };
  const { root } = show([shown], { ask });
  const spots = [...root.querySelectorAll('.spot[data-key="a 0.7"]')];
  expect(spots.map((spot) => spot.closest("figure")?.querySelector("figcaption")?.textContent)).toEqual([
    "ROC",
    "precision over recall",
  ]);
  press(spots[1] ?? null, "Enter");
  expect(asked).toMatchObject([{ kind: "pick", of: "threshold", truth: "dog", low: 0.7 }]);
  expect(root.querySelectorAll('.spot[aria-pressed="true"]')).toHaveLength(2);
  await expect.poll(() => root.querySelector(".picked")?.textContent).toContain("2 of 4 found · and 3 more rows");
  const wrong = { kind: "pick", split: "val", run: "a", of: "threshold", truth: "dog", output: "" } as const;
  const range = { low: 0.5, high: 0, output_low: 0, output_high: 0 };
  expect(keptRows(evaluated({ run: "a" }), { ...wrong, ...range })).toEqual([
    [7, "cat", "dog", 0.9, false],
    [3, "dog", "cat", 0.2, false],
  ]);
});

test("truth and prediction of a regression: a dot asks for the rows of its ranges", () => {
  const bin = { low: 0, high: 1, output_low: 2, output_high: 3, truth: 0.5, output: 2.5, rows: 4 };
  const asked: unknown[] = [];
  const ask = (wish: unknown): Promise<Answer> => {
    asked.push(wish);
    return Promise.resolve({ content: rows } as Answer);
  };
  const run = evaluated({ run: "a", scatter: [bin, { ...bin, low: 1, high: 2, truth: 1.5, rows: 1 }] });
  const { root } = show([{ ...two, task: "regression", labels: [], span: [0, 3], runs: [run] }], { ask });
  const [first, second] = [...root.querySelectorAll(".spot")];
  expect(first?.getAttribute("aria-label")).toBe("truth 0.5, predicted 2.5: 4 rows");
  const radius = (spot?: Element): number => Number(spot?.querySelector("circle")?.getAttribute("r"));
  expect(radius(first)).toBeGreaterThan(radius(second));
  press(first ?? null, "Enter");
  expect(asked).toMatchObject([{ of: "scatter", low: 0, high: 1, output_low: 2, output_high: 3 }]);
  const heads = ["id", "truth", "output", "error"];
  const worst = [
    [1, 0.4, 2.2, 1.8],
    [2, 0.4, 5, 4.6],
  ];
  const { truth: _, output: __, rows: ___, ...range } = bin;
  const scatter = { kind: "pick", split: "val", run: "a", of: "scatter", truth: "", output: "", ...range } as const;
  expect(keptRows(evaluated({ run: "a", heads, worst }), scatter)).toEqual([worst[0]]);
});
