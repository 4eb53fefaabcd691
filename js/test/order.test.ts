import { expect, test } from "vitest";
import { ordered, pressed, type SortKey, sortedAs } from "../src/ui/table/order.ts";

interface Row {
  id: string;
  a: SortKey;
  b?: SortKey;
}

const key = (row: Row, id: string): SortKey => (id === "a" ? row.a : row.b);
const ids = (rows: Row[], sort: string[]): string =>
  ordered(rows, sort, key)
    .map((row) => row.id)
    .join("");

test("missing and NaN stay last in both directions, infinities stand at their ends", () => {
  const rows: Row[] = [
    { id: "n", a: Number.NaN },
    { id: "3", a: 3 },
    { id: "m", a: undefined },
    { id: "i", a: Number.POSITIVE_INFINITY },
    { id: "1", a: 1 },
    { id: "j", a: Number.NEGATIVE_INFINITY },
  ];
  expect(ids(rows, ["a"])).toBe("j13inm");
  expect(ids(rows, ["-a"])).toBe("i31jnm");
});

test("words sort as people count, numbers stand before words", () => {
  const rows: Row[] = [
    { id: "x", a: "run-10" },
    { id: "y", a: "Run-9" },
    { id: "z", a: 5 },
  ];
  expect(ids(rows, ["a"])).toBe("zyx");
});

test("rows that tie keep their order, and a second column decides first", () => {
  const rows: Row[] = [
    { id: "p", a: 1, b: 1 },
    { id: "q", a: 1, b: 2 },
    { id: "r", a: 0, b: 3 },
  ];
  expect(ids(rows, ["a"])).toBe("rpq");
  expect(ids(rows, ["-a"])).toBe("pqr");
  expect(ids(rows, ["a", "-b"])).toBe("rqp");
  expect(ids(rows, [])).toBe("pqr");
});

test("a header goes ascending, descending, none; shift keeps the other columns", () => {
  expect(pressed([], "a", false)).toEqual(["a"]);
  expect(pressed(["a"], "a", false)).toEqual(["-a"]);
  expect(pressed(["-a"], "a", false)).toEqual([]);
  expect(pressed(["a"], "b", false)).toEqual(["b"]);
  expect(pressed(["a"], "b", true)).toEqual(["a", "b"]);
  expect(pressed(["a", "b"], "a", true)).toEqual(["-a", "b"]);
  expect(pressed(["-a", "b"], "a", true)).toEqual(["b"]);
  expect(sortedAs(["x", "-b"], "b")).toEqual({ place: 2, descending: true });
});
