import { expect, test } from "vitest";
import type { CodeLine } from "../src/contract.ts";
import { type Block, diffBlocks, diffSize } from "../src/ui/compare/diff.ts";
import { bestOf, sections } from "../src/ui/compare/rows.ts";
import { comparison } from "./rows.ts";

const lines = (text: string): CodeLine[] =>
  text.split("\n").map((line) => ({ mark: line[0] as CodeLine["mark"], text: line.slice(1) }));
const shown = (block: Block): string =>
  block.kind === "fold"
    ? `(${block.lines})`
    : block.mark + block.pieces.map((piece) => (piece.changed ? `[${piece.text}]` : piece.text)).join("");

test("unchanged lines further than three from a change are folded, a single one is not", () => {
  const code = lines(" a\n b\n c\n d\n e\n-f\n+g\n h\n i\n j\n k");
  expect(diffBlocks(code, false).map(shown)).toEqual(["(2)", " c", " d", " e", "-f", "+g", " h", " i", " j", " k"]);
  expect(diffBlocks(code, true)).toHaveLength(code.length);
  expect(diffSize(code)).toEqual({ removed: 1, added: 1 });
});

test("in a changed line the changed words are marked, a number as one word", () => {
  const code = lines("-lr, epochs = 3e-3, 20\n+lr, epochs = 1e-3, 40\n+dropout = 0.1");
  expect(diffBlocks(code, false).map(shown)).toEqual([
    "-lr, epochs = [3e-3], [20]",
    "+lr, epochs = [1e-3], [40]",
    "+dropout = 0.1",
  ]);
});

test("lines with little in common are shown whole", () => {
  expect(diffBlocks(lines("-import numpy as np\n+model.fit(X, y)"), false).map(shown)).toEqual([
    "-import numpy as np",
    "+model.fit(X, y)",
  ]);
});

test("the best value follows the goal; nan and missing never win, and a tie has no best", () => {
  expect(bestOf([0.3, 0.1, null], "min")).toEqual([false, true, false]);
  expect(bestOf(["nan", 0.1, 0.2], "max")).toEqual([false, false, true]);
  expect(bestOf([0.1, 0.1], "max")).toEqual([false, false]);
  expect(bestOf([1, 2], "none")).toEqual([false, false]);
  expect(bestOf(["-inf", 2], "min")).toEqual([true, false]);
});

test("sections count what differs and what is equal; one without facts is left out", () => {
  const found = sections(
    comparison({
      facts: [{ name: "duration", words: "", values: [200, null], differs: true, goal: "none", verdicts: [] }],
      params: [
        { name: "lr", words: "", values: [0.1, 0.2, 0.1], differs: true, goal: "none", verdicts: [] },
        { name: "epochs", words: "", values: [20, 20, 20], differs: false, goal: "none", verdicts: [] },
      ],
      metrics: [{ name: "val/acc", words: "", values: [0.5, 0.75], differs: true, goal: "max", verdicts: [] }],
    }),
  );
  const clean = { name: "state.clean", words: "clean state", values: [true], differs: false, goal: "none" as const };
  const said = sections(comparison({ environment: [{ ...clean, verdicts: [] }] }));
  expect(said[0]?.rows.map(({ name, words }) => [name, words])).toEqual([["state.clean", "clean state"]]);
  expect(found.map((one) => [one.title, one.differing, one.equal])).toEqual([
    ["facts", 1, 0],
    ["params", 1, 1],
    ["metrics", 1, 0],
  ]);
  expect(found[0]?.rows[0]?.values.map((value) => value.text)).toEqual(["3 m 20 s", "–"]);
  expect(found[1]?.rows[0]?.values.map((value) => value.like)).toEqual([false, false, true]);
  expect(found[2]?.rows[0]?.values).toEqual([
    { text: "0.5000", best: false, like: false, around: "", verdict: null },
    { text: "0.7500", best: true, like: false, around: "", verdict: null },
  ]);
});
