import { expect, test } from "vitest";
import { columnsOf, headsOf } from "../src/ui/table/columns.ts";
import { narrowed, termOf } from "../src/ui/table/condition.ts";
import { metric, param, run } from "./rows.ts";

test("columns are named as the query language names them", () => {
  const rows = [
    run({
      id: "1",
      note: "x",
      params: { lr: param(1), "optim.name": param("a"), "a b": param(1) },
      metrics: { "val/acc": metric({ goal: "max" }) },
    }),
  ];
  const terms = new Map(columnsOf(headsOf(rows)).map((column) => [column.id, termOf(column)]));
  expect(Object.fromEntries(terms)).toEqual({
    select: null,
    name: "name",
    status: "status",
    notes: null,
    "params.lr": "params.lr",
    "params.optim.name": "params.optim.name",
    "params.a b": 'params["a b"]',
    "metrics.val/acc": 'last("val/acc")',
    "best.val/acc": 'best("val/acc")',
    duration: "duration",
    created: null,
  });
});

test("a condition joins an expression, in parentheses where an or would swallow it, and replaces plain words", () => {
  expect(narrowed("", "params.lr < 1")).toBe("params.lr < 1");
  expect(narrowed("some words", "params.lr < 1")).toBe("params.lr < 1");
  expect(narrowed("a == 1", "b == 2")).toBe("a == 1 and b == 2");
  expect(narrowed("a == 1 or c == 3", "b == 2")).toBe("(a == 1 or c == 3) and b == 2");
});
