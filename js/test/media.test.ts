// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Content, MediaItem, MediaOptions, MediaShown } from "../src/contract.ts";
import { MEDIA, mount } from "../src/panels/media.ts";
import { savedSource } from "../src/saved.ts";
import { difference } from "../src/ui/media/difference.ts";
import { type Drawing, takeDrawings } from "../src/ui/media/drawing.ts";
import { Holding } from "../src/ui/media/store.ts";
import { inside, layOut, outputArea, type StoodIn, standIn } from "./page.ts";
import { payload } from "./rows.ts";

const NOTHING: Content = { media: "", said: "", text: null, counts: [], edges: [], heads: [], rows: [], more: 0 };
const EVIL = "<img src=x onerror=alert(1)>";

let end: AbortController;
let urls: Set<string>;
beforeEach(() => {
  layOut();
  end = new AbortController();
  urls = new Set();
  let made = 0;
  URL.createObjectURL = () => {
    const url = `blob:${++made}`;
    urls.add(url);
    return url;
  };
  URL.revokeObjectURL = (url) => void urls.delete(url);
});
afterEach(() => end.abort());

const item = (run: string, number: number, change: Partial<MediaItem> = {}): MediaItem => ({
  run,
  number,
  key: "sample",
  kind: "image",
  step: number,
  digest: "",
  said: "4 x 4",
  ...change,
});

function show(
  media: Partial<MediaShown>,
  content: (run: string, number: number) => Content,
  options: Partial<MediaOptions> = {},
): { root: ShadowRoot; source: StoodIn<MediaOptions>; asked: string[] } {
  const { output } = outputArea();
  const asked: string[] = [];
  const shown: MediaShown = { runs: { a: "base", b: EVIL }, items: [], omitted: 0, kept: [], ...media };
  const source = standIn<MediaOptions>(
    payload({ kind: "media", media: shown }),
    { ...MEDIA, ...options },
    {
      take: ({ run, number }) => {
        asked.push(`${run}${number}`);
        return Promise.resolve([content(run, number), new Uint8Array([1, 2, 3])]);
      },
    },
  );
  mount(output, source, end.signal);
  return { root: inside(output), source, asked };
}

const pictures = (): Content => ({ ...NOTHING, media: "image/png" });
const captions = (root: ShadowRoot): (string | null)[] =>
  [...root.querySelectorAll("figcaption")].map((one) => one.textContent);

test("runs stand side by side at the newest step; the neighbouring steps are loaded beforehand", async () => {
  const items = [item("a", 0), item("a", 5), item("a", 9), item("b", 5)];
  const { root, asked, source } = show({ items }, pictures);
  await vi.waitFor(() => expect(captions(root)).toEqual(["base4 x 4", `${EVIL}step 5 · 4 x 4`]));
  expect(root.querySelector("output")?.textContent).toBe("step 9 (3 of 3)");
  await vi.waitFor(() => expect(asked).toEqual(["a9", "b5", "a5"]));
  const slider = root.querySelector<HTMLInputElement>("input[type=range]");
  if (slider) slider.value = "0";
  slider?.dispatchEvent(new Event("input"));
  await vi.waitFor(() => expect(captions(root)[1]).toBe(`${EVIL}nothing up to this step`));
  expect(source.kept.at(-1)?.step).toBe(0);
  expect(root.querySelectorAll("img").length).toBe(1);
  root.querySelector(".sheet")?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  await vi.waitFor(() => expect(root.querySelector("output")?.textContent).toBe("step 5 (2 of 3)"));
});

test("text, tables and names of a run are never markup", async () => {
  const items = [item("a", 0, { kind: "text", key: EVIL }), item("a", 1, { kind: "table", key: EVIL, step: 0 })];
  const content = (_: string, number: number): Content =>
    number === 0 ? { ...NOTHING, text: EVIL } : { ...NOTHING, heads: [EVIL], rows: [[EVIL], [1.5]], more: 3 };
  const { root } = show({ items }, content);
  await vi.waitFor(() => expect(root.querySelector("pre")?.textContent).toBe(EVIL));
  expect([...root.querySelectorAll("th, td")].map((cell) => cell.textContent)).toEqual([EVIL, EVIL, "1.5"]);
  expect(root.querySelectorAll("img").length).toBe(0);
  expect(root.querySelector(".rows")?.textContent).toContain("and 3 more rows");
});

test("bytes of a type that is none of ours get no address", async () => {
  const items = [item("a", 0)];
  const { root } = show({ items }, () => ({ ...NOTHING, media: "text/html", said: "odd" }));
  await vi.waitFor(() => expect(root.querySelector("figure")?.textContent).toContain("odd"));
  expect(urls.size).toBe(0);
});

test("a histogram says where most of it is, and its bars are as wide as its bins", async () => {
  const items = [item("a", 0, { kind: "histogram" })];
  const { root } = show({ items }, () => ({ ...NOTHING, counts: [1, 4], edges: [0, 1, 4] }));
  await vi.waitFor(() => expect(root.querySelector("svg")).toBeTruthy());
  expect(root.querySelector("svg")?.getAttribute("aria-label")).toContain("most between 1 and 4");
  expect([...root.querySelectorAll("rect")].map((bar) => bar.getAttribute("width"))).toEqual(["80.00", "240.00"]);
});

test("two pictures are laid over each other in the share that is chosen", async () => {
  const items = [item("a", 1), item("b", 1)];
  const { root, source } = show({ items }, pictures, { how: "overlay", share: 0.25 });
  await vi.waitFor(() => expect(root.querySelectorAll(".laid img").length).toBe(2));
  expect([...root.querySelectorAll<HTMLElement>(".laid img")].map((img) => img.style.opacity)).toEqual(["", "0.25"]);
  root.querySelector<HTMLInputElement>("input[value=beside]")?.click();
  await vi.waitFor(() => expect(root.querySelectorAll("figure").length).toBe(2));
  expect(source.kept.at(-1)?.how).toBe("beside");
});

test("a difference is absolute, and counts the pixels that are not the same", () => {
  const one = new Uint8ClampedArray([10, 20, 30, 255, 0, 0, 0, 255]);
  const other = new Uint8ClampedArray([10, 25, 0, 255, 0, 0, 0, 255]);
  const { share, most, pixels } = difference(one, other);
  expect([share, most]).toEqual([0.5, 30]);
  expect([...pixels]).toEqual([0, 5, 30, 255, 0, 0, 0, 255]);
});

test("equal bytes are asked for once, and every address is given back", async () => {
  const asked: number[] = [];
  const taken = end.signal;
  const holding = new Holding(async ({ number }) => {
    asked.push(number);
    return [pictures(), new Uint8Array([1])];
  }, taken);
  await holding.get(item("a", 1, { digest: "d" }));
  await holding.get(item("b", 7, { digest: "d" }));
  expect(asked).toEqual([1]);
  for (let i = 0; i < 100; i++) await holding.get(item("a", i));
  await vi.waitFor(() => expect(urls.size).toBeLessThanOrEqual(80));
  end.abort();
  await vi.waitFor(() => expect(urls.size).toBe(0));
});

test("what could not be had is said, and asked for again", async () => {
  let tries = 0;
  const holding = new Holding(() => {
    tries++;
    return tries === 1 ? Promise.reject(new Error("busy")) : Promise.resolve([pictures(), new Uint8Array([1])]);
  }, end.signal);
  await expect(holding.get(item("a", 1))).rejects.toThrow("busy");
  expect((await holding.get(item("a", 1))).url).toBe("blob:1");
});

test("a saved output shows what it holds and says where the rest is", async () => {
  const { output } = outputArea();
  const media: MediaShown = {
    runs: { a: "base" },
    items: [item("a", 0), item("a", 1)],
    omitted: 2,
    kept: [{ run: "a", number: 1, content: { ...NOTHING, media: "image/png" }, data: "AQID" }],
  };
  mount(output, savedSource(payload({ kind: "media", media }), MEDIA), end.signal);
  const root = inside(output);
  await vi.waitFor(() => expect(root.querySelector("img")).toBeTruthy());
  expect(root.textContent).toContain("and 2 earlier items in the trail");
  root.querySelector<HTMLButtonElement>("button[aria-label='step before']")?.click();
  await vi.waitFor(() => expect(root.textContent).toContain("not in the saved output"));
});

test("a chart is drawn by whoever has the library, and given back with the step; with nobody there a sentence stands", async () => {
  const spec = { mark: "bar" };
  const take = (): Promise<[Content, Uint8Array]> =>
    Promise.resolve([
      { ...NOTHING, media: "application/vnd.vegalite.v6+json" },
      new TextEncoder().encode(JSON.stringify(spec)),
    ]);
  const items = [item("a", 0, { kind: "figure" }), item("a", 5, { kind: "figure" })];
  const media: MediaShown = { runs: { a: "base" }, items, omitted: 0, kept: [] };
  const shown = (): ShadowRoot => {
    const { output } = outputArea();
    mount(output, standIn<MediaOptions>(payload({ kind: "media", media }), MEDIA, { take }), end.signal);
    return inside(output);
  };
  const alone = shown();
  await vi.waitFor(() => expect(alone.querySelector("figure p")?.textContent).toContain('run.items("sample")[-1]'));
  const drawings: Drawing[] = [];
  takeDrawings((drawing) => drawings.push(drawing));
  const root = shown();
  await vi.waitFor(() => expect(drawings.map((one) => one.spec)).toEqual([spec]));
  await vi.waitFor(() => expect(root.querySelector("figure")?.contains(drawings[0]?.frame ?? null)).toBe(true));
  root.querySelector(".sheet")?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  await vi.waitFor(() => expect(drawings.map((one) => one.signal.aborted)).toEqual([true, false]));
});
