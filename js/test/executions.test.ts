// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ExecutionMap, ExecutionShown } from "../src/contract.ts";
import { executionsView } from "../src/ui/detail/executions.ts";
import { RESTORE } from "../src/ui/detail/restoring.ts";
import { layOut } from "./page.ts";

let end: AbortController;
beforeEach(() => {
  layOut();
  end = new AbortController();
});
afterEach(() => {
  end.abort();
  document.body.replaceChildren();
});

function ran(change: Partial<ExecutionShown> & { id: string }): ExecutionShown {
  const plain = {
    count: 1,
    cell: "c",
    nth: 1,
    of: 1,
    status: "ok",
    error: "",
    code: "x = 1",
    is_whole: true,
    run: "",
    name: "",
  } as const;
  return { ...plain, role: "needed", what: "", got: [], stale: "", ...change };
}

function show(executions: ExecutionShown[], change: Partial<ExecutionMap> = {}): HTMLElement {
  const view = executionsView({ executions, more: 0, lower_bound: [], ...change }, end.signal);
  document.body.append(view);
  return view;
}

const rows = (view: HTMLElement): HTMLElement[] => [...view.querySelectorAll<HTMLElement>("li")];

test("each execution in its order, with what was needed of it; its code and what it got are opened by a click", () => {
  const view = show([
    ran({ id: "a", count: 3, code: "x = 1", what: "made x" }),
    ran({ id: "b", count: 4, role: "other", code: "print(2)", status: "error", error: "NameError" }),
    ran({ id: "c", count: 7, role: "run", code: "%%track fit\ny = x", got: [{ execution: "a", names: ["x"] }] }),
  ]);
  expect(rows(view).map((row) => row.querySelector("summary")?.textContent)).toEqual([
    "[3]x = 1made x",
    "[4]print(2)NameError",
    "[7]y = xthis run",
  ]);
  const details = rows(view)[2]?.querySelector("details");
  details?.dispatchEvent(new Event("toggle"));
  expect(details?.textContent).toContain("got x from [3]%%track fit\ny = x");
  const arcs = [...view.querySelectorAll<SVGElement>("path")].map(({ dataset }) => [dataset.from, dataset.to]);
  expect(arcs).toEqual([["a", "c"]]);
});

test("what is stale, what ran again and what may be missing is said", () => {
  const again = { nth: 1, of: 2, stale: "edited since" };
  const view = show([ran({ id: "a", ...again }), ran({ id: "b", role: "run" })], { more: 4, lower_bound: ["exec"] });
  expect(view.querySelector("p")?.textContent).toBe(
    "depends on 1 of the 5 executions before it; 1 of these cells has changed since; perhaps on more, because of exec; " +
      "4 older executions not shown",
  );
  expect(rows(view)[0]?.textContent).toContain("edited since1 of 2");
});

test("of many only those that it was made from are shown, until all are wanted", () => {
  const others = Array.from({ length: 50 }, (_, at) => ran({ id: `o${at}`, role: "other" }));
  const view = show([...others, ran({ id: "a" }), ran({ id: "b", role: "run" })]);
  const shown = (): number => rows(view).filter((row) => !row.hidden).length;
  expect(shown()).toBe(2);
  view.querySelector("input")?.click();
  expect(shown()).toBe(52);
});

test("code and names of a trail are never markup", () => {
  const evil = "<img src=x onerror=alert(1)>";
  const all = { code: evil, name: evil, what: evil, stale: evil, error: evil, status: "error" } as const;
  const view = show([
    ran({ id: "a", ...all }),
    ran({ id: "b", role: "run", got: [{ execution: "a", names: [evil] }] }),
  ]);
  for (const details of view.querySelectorAll("details")) details.dispatchEvent(new Event("toggle"));
  expect(view.querySelectorAll("img").length).toBe(0);
  expect(view.textContent).toContain(evil);
});

test("an execution, or all that the run was made from, comes back as new cells where a notebook takes them", async () => {
  const first = ran({ id: "a", code: "x = 1" });
  const junk = ran({ id: "b", role: "other", code: "junk" });
  const cut = { is_whole: false, code: "y = 2\n⋯ 9,000 characters" };
  const view = show([first, junk, ran({ id: "c", role: "run", code: "y = x" })]);
  const button = (words: string): HTMLButtonElement | undefined =>
    [...view.querySelectorAll("button")].find(({ textContent }) => textContent === words);
  const copied: string[] = [];
  Object.assign(navigator, { clipboard: { writeText: async (text: string) => void copied.push(text) } });
  button("restore 2 cells")?.click();
  await Promise.resolve();
  expect(copied).toEqual(["x = 1\n\ny = x"]);
  const heard: unknown[] = [];
  const take = (event: Event): void => {
    event.preventDefault();
    heard.push((event as CustomEvent).detail);
  };
  document.addEventListener(RESTORE, take, { signal: end.signal });
  button("restore 2 cells")?.click();
  rows(view)[1]?.querySelector("button")?.click();
  expect(heard).toEqual([
    [
      { id: "a", code: "x = 1" },
      { id: "c", code: "y = x" },
    ],
    [{ id: "b", code: "junk" }],
  ]);
  expect(copied.length).toBe(1);
  expect(rows(view)[1]?.querySelector("[role=status]")?.textContent).toBe("1 new cell in the notebook");
  const partial = show([first, ran({ id: "c", role: "run", ...cut })]);
  expect([...partial.querySelectorAll("button")].map(({ textContent }) => textContent)).toEqual(["restore"]);
});
