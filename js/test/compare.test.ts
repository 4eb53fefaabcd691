// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CompareOptions, mount } from "../src/panels/compare.ts";
import { MEDIA } from "../src/panels/media.ts";
import { inside, layOut, outputArea, standIn } from "./page.ts";
import { comparison, payload, run } from "./rows.ts";

let end: AbortController;
beforeEach(() => {
  layOut();
  end = new AbortController();
});
afterEach(() => end.abort());

function show(change: Parameters<typeof comparison>[0]): ShadowRoot {
  const { output } = outputArea();
  mount(
    output,
    standIn<CompareOptions>(payload({ kind: "compare", comparison: comparison(change) }), MEDIA),
    end.signal,
  );
  return inside(output);
}

const three = [run({ id: "01AAAAAA", name: "mlp" }), run({ id: "01BBBBBB", name: "mlp" }), run({ id: "01CCCCCC" })];

test("only what differs is shown until the box is cleared, and the rest is counted", () => {
  const root = show({
    runs: three,
    params: [
      { name: "lr", words: "", values: [1, 2, 2], differs: true, goal: "none", verdicts: [] },
      { name: "epochs", words: "", values: [20, 20, 20], differs: false, goal: "none", verdicts: [] },
    ],
  });
  const facts = (): string[] => [...root.querySelectorAll("th[scope=row]")].map((cell) => cell.textContent ?? "");
  expect(facts()).toEqual(["lr"]);
  expect(root.textContent).toContain("1 differ, 1 equal");
  root.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
  expect(facts()).toEqual(["lr", "epochs"]);
});

test("the best value of a metric is bold and the direction is an arrow with words", () => {
  const root = show({
    runs: three,
    metrics: [{ name: "val/acc", words: "", values: [0.5, 0.9, "nan"], differs: true, goal: "max", verdicts: [] }],
  });
  expect([...root.querySelectorAll("strong")].map((found) => found.textContent)).toEqual(["0.9000"]);
  expect(root.querySelector(".ct-goal")?.getAttribute("aria-label")).toBe("higher is better");
});

test("repeats say their mean, and in words whether the difference to the first run is real", () => {
  const told = { around: "mean 0.91 ± 0.025 (n=3)", word: "", text: "" };
  const text = "better by 0.05, 95% interval 0.027 to 0.073 (n=3)";
  const root = show({
    runs: three.slice(0, 2),
    metrics: [
      {
        name: "val/acc",
        words: "",
        values: [0.9, 0.96],
        differs: true,
        goal: "max",
        verdicts: [told, { around: "mean 0.96 ± 0.025 (n=3)", word: "better", text }],
      },
    ],
  });
  expect([...root.querySelectorAll(".ct-mean")].map((mean) => mean.textContent)).toEqual([
    "mean 0.91 ± 0.025 (n=3)",
    "mean 0.96 ± 0.025 (n=3)",
  ]);
  expect([...root.querySelectorAll(".ct-verdict")].map((verdict) => verdict.textContent)).toEqual([`▲ ${text}`]);
});

test("runs of one name are told apart by the end of their id", () => {
  const heads = [...show({ runs: three }).querySelectorAll("th[scope=col]")].map((cell) => cell.textContent ?? "");
  expect(heads[0]).toContain("…AAAAAA");
  expect(heads[1]).toContain("…BBBBBB");
  expect(heads[2]).not.toContain("…");
});

test("each changed line carries its mark as sign and as word, not as colour alone", () => {
  const root = show({
    runs: three,
    code: [
      {
        run: "01BBBBBB",
        cell: "",
        lines: [
          { mark: "-", text: "lr = 1" },
          { mark: "+", text: "lr = 2" },
        ],
      },
      { run: "01CCCCCC", cell: "", lines: [] },
    ],
  });
  const lines = [...root.querySelectorAll(".ct-line")].map((line) => line.textContent);
  expect(lines).toEqual(["-removed: lr = 1", "+added: lr = 2"]);
  expect(root.querySelector("del")?.textContent).toBe("lr = 1");
  expect(root.querySelector("ins")?.textContent).toBe("lr = 2");
  expect(root.textContent).toContain("has the same code as");
});

test("without a comparison the panel says what to do", () => {
  const { output } = outputArea();
  mount(output, standIn<CompareOptions>(payload({ kind: "compare" }), MEDIA), end.signal);
  expect(inside(output).textContent).toContain("nothing to compare");
});

test("what the cells showed stands side by side, and is not repeated where all showed the same", () => {
  const piece = (data: string) => ({ kind: "stdout" as const, media: "text/plain", data, said: "" });
  const root = show({ runs: three.slice(0, 2), outputs: [[piece("loss 0.5")], [piece("<b>loss</b> 0.4")]] });
  expect([...root.querySelectorAll(".ct-shown section")].map((one) => one.textContent)).toEqual([
    "mlploss 0.5",
    "mlp<b>loss</b> 0.4",
  ]);
  const same = show({ runs: three.slice(0, 2), outputs: [[piece("a")], [piece("a")]] });
  expect(same.querySelector(".ct-shown")).toBeNull();
  expect(same.textContent).toContain("all showed the same");
  same.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
  expect(same.querySelectorAll(".ct-shown section")).toHaveLength(2);
});

test("pictures of the runs stand below, taken one by one", async () => {
  const { output } = outputArea();
  const item = (run: string) => ({
    run,
    number: 0,
    key: "sample",
    kind: "text" as const,
    step: 0,
    digest: "",
    said: "",
  });
  const media = { runs: { a: "one", b: "two" }, items: [item("a"), item("b")], omitted: 0, kept: [] };
  const content = { media: "", said: "", counts: [], edges: [], heads: [], rows: [], more: 0 };
  const source = standIn<CompareOptions>(
    payload({ kind: "compare", comparison: comparison({ runs: three }), media }),
    MEDIA,
    {
      take: ({ run }) => Promise.resolve([{ ...content, text: `text of ${run}` }, new Uint8Array()]),
    },
  );
  mount(output, source, end.signal);
  await new Promise((done) => setTimeout(done));
  const held = output.querySelector(".celltrail")?.shadowRoot?.querySelector(".celltrail")?.shadowRoot;
  expect([...(held?.querySelectorAll("figure") ?? [])].map((figure) => figure.textContent)).toEqual([
    "onetext of a",
    "twotext of b",
  ]);
});

test("the likeliest causes are in sight, the rest one click away and numbered on", () => {
  const told = Array.from({ length: 9 }, (_, index) => `params.p${index}: 0 → 1`);
  const root = show({ runs: three.slice(0, 2), changed: told });
  const shown = [...root.querySelectorAll(".ct-changed > ol > li")].map((found) => found.textContent);
  expect(shown).toEqual(told.slice(0, 6));
  expect(root.querySelector(".ct-changed summary")?.textContent).toBe("3 more");
  expect(root.querySelector<HTMLOListElement>(".ct-changed details ol")?.start).toBe(7);
});
