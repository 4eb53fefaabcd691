import { expect, test } from "vitest";
import { isExpression, WordFilter } from "../src/ui/table/filter.ts";
import { metric, param, run } from "./rows.ts";

test.each([
  ["params.lr < 0.01", true],
  ["'mlp' in tags", true],
  ["best('val/acc')", true],
  ["params.`a b`", true],
  ["name != baseline", true],
  ["baseline", false],
  ["val/acc", false],
  ["sweep-1 mlp", false],
  ["", false],
])("%s is an expression: %s", (text, yes) => {
  expect(isExpression(text)).toBe(yes);
});

test("every word must be somewhere: name, tag, parameter, metric, status or error, whatever the case", () => {
  const rows = [
    run({ id: "1", name: "Baseline", tags: ["mlp"], params: { optimizer: param("adam") } }),
    run({ id: "2", name: "sweep", status: "failed", error: "ValueError: loss is NaN", params: { lr: param(0.003) } }),
    run({ id: "3", name: "third", metrics: { "val/acc": metric({}) }, params: { augment: param(true) } }),
  ];
  const found = (text: string): string =>
    new WordFilter()
      .rows(rows, text)
      .map((row) => row.id)
      .join("");
  expect(found("")).toBe("123");
  expect(found("BASE adam")).toBe("1");
  expect(found("valueerror")).toBe("2");
  expect(found("0.003")).toBe("2");
  expect(found("val/acc true")).toBe("3");
  expect(found("digits")).toBe("123");
  expect(found("base sweep")).toBe("");
});
