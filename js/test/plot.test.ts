// @vitest-environment jsdom
import { expect, test } from "vitest";
import { CanvasPen, type Path, SvgPen } from "../src/ui/plot/pen.ts";
import { within } from "../src/ui/plot/plot.ts";
import { draw, frame, type Line, pathOf, type Scene } from "../src/ui/plot/scene.ts";
import { PALETTE, type Theme } from "../src/ui/theme.ts";

const theme: Theme = {
  dark: false,
  ink: "#222222",
  muted: "#666666",
  line: "#dddddd",
  surface: "#ffffff",
  bad: "#cc0000",
  accent: "#1976d2",
  warn: "#d55e00",
  font: "sans-serif",
  palette: PALETTE.light,
};

const line = (x: number[], y: number[], change: Partial<Line> = {}): Line => ({
  curve: { x, y },
  colour: "#0072b2",
  dash: [],
  shown: true,
  marks: [],
  spread: null,
  raw: null,
  best: null,
  ...change,
});
const scene = (lines: Line[], range: [number, number], change: Partial<Scene> = {}): Scene => ({
  lines,
  range,
  by: "step",
  tick: null,
  bend: "linear",
  theme,
  flags: [],
  bands: [],
  ...change,
});

function svg(shown: Scene, width = 400): SVGElement {
  const pen = new SvgPen(width, 172, "sans-serif");
  draw(pen, shown, frame(shown, width, 172));
  return pen.el;
}
const strokes = (el: SVGElement, colour: string): Element[] => [...el.querySelectorAll(`path[stroke="${colour}"]`)];

test("the y axis is of what stands in the window, and only of what is shown", () => {
  const lines = [line([0, 1, 2, 3], [100, 1, 2, 100]), line([1, 2], [500, 500], { shown: false })];
  const { up } = frame(scene(lines, [1, 2]), 400, 172);
  expect([up.min, up.max]).toEqual([0.94, 2.06]);
});

test("a band stands whole beside the lines where that leaves them half of the height, else as much of it", () => {
  const lines = [line([0, 1, 2], [2, 3, 4])];
  const ends = (low: number, high: number, change: Partial<Scene> = {}): number[] => {
    const band = { x: [0, 1, 9], low: [low, low, -99], high: [high, high, 99] };
    const { up } = frame(scene(lines, [0, 2], { bands: [band], ...change }), 400, 172);
    return [up.min, up.max].map((end) => Number(end.toFixed(2)));
  };
  expect(ends(2.5, 3.5)).toEqual([1.88, 4.12]);
  expect(ends(1.5, 4.5)).toEqual([1.32, 4.68]);
  expect(ends(-50, 50)).toEqual([0.76, 5.24]);
  expect(ends(0, 50, { bend: "log" })).toEqual([1.9, 5.96]);
});

test("a line goes on to the edge of the window: its neighbours outside belong to it", () => {
  const shown = scene([line([0, 10, 20, 30, 40], [0, 1, 2, 3, 4])], [15, 25]);
  const at = frame(shown, 400, 172);
  const path = pathOf(shown.lines[0]?.curve ?? { x: [], y: [] }, at);
  expect(path.filter((_, i) => i % 2 === 0)).toEqual([10, 20, 30].map((x) => at.x(x)));
  expect(path[0]).toBeLessThan(at.box.left);
});

test("few lines are wide, many are thinner, and many with many points as thin as is drawn fast", () => {
  const widths = (lines: number, points: number): Set<string | null> => {
    const x = Array.from({ length: points }, (_, i) => i);
    const drawn = svg(
      scene(
        Array.from({ length: lines }, () => line(x, x)),
        [0, points],
      ),
    );
    return new Set(strokes(drawn, "#0072b2").map((path) => path.getAttribute("stroke-width")));
  };
  expect([widths(2, 2000), widths(20, 50), widths(20, 2000)]).toEqual([
    new Set(["1.75"]),
    new Set(["1.25"]),
    new Set(["1"]),
  ]);
});

test("a hundred thousand points leave two a pixel, and the spike among them", () => {
  const x = Array.from({ length: 100_000 }, (_, i) => i);
  const y = x.map((i) => (i === 61_803 ? 50 : Math.sin(i / 9)));
  const at = frame(scene([line(x, y)], [0, 99_999]), 400, 172);
  const path = pathOf({ x, y }, at);
  expect(path.length / 2).toBeLessThanOrEqual(2 * at.box.width + 4);
  const tops = path.filter((_, i) => i % 2 === 1);
  expect(Math.min(...tops)).toBe(at.y(50));
  const spike = path[path.indexOf(at.y(50)) - 1] ?? 0;
  expect(Math.abs(spike - at.x(61_803))).toBeLessThan(1);
});

test("NaN lifts the pen, few points are dots, and what cannot be shown is marked on the axis", () => {
  const el = svg(scene([line([0, 1, 2, 3], [1, Number.NaN, 2, 3], { marks: [1] })], [0, 3]));
  expect(strokes(el, "#0072b2")[0]?.getAttribute("d")?.match(/M/g)?.length).toBe(2);
  expect(el.querySelectorAll("circle").length).toBe(3);
  expect(strokes(el, theme.bad).length).toBe(1);
});

test("a band is one area behind the lines, with its middle; a note is a flag", () => {
  const band = { x: [0, 1, 2], low: [1, 1, 1], middle: [2, 2, 2], high: [3, 3, 3] };
  const shown = scene([line([0, 1, 2], [0, 2, 4])], [0, 2], {
    bands: [band],
    flags: [
      { x: 1, level: "note" },
      { x: 9, level: "note" },
    ],
  });
  const { y } = frame(shown, 400, 172);
  const el = svg(shown);
  const [area] = el.querySelectorAll(`path[fill="${theme.muted}"]`);
  const heights = new Set(
    area
      ?.getAttribute("d")
      ?.match(/ [\d.]+/g)
      ?.map(Number),
  );
  expect([...heights]).toEqual([y(3), y(1)].map((at) => Math.round(at * 10) / 10));
  expect(strokes(el, theme.muted).length).toBe(1);
  expect(el.querySelectorAll(`path[fill="${theme.accent}"]`).length).toBe(1);
});

test("words of a trail become text in a picture, never markup", () => {
  const pen = new SvgPen(100, 20, "sans-serif");
  pen.text("<b>&", 0, 10, "left", "#222222");
  expect(pen.el.querySelector("b")).toBeNull();
  expect(pen.el.textContent).toBe("<b>&");
});

test("a canvas is given what the picture is given", () => {
  const calls: string[] = [];
  const context = new Proxy({} as Record<string, unknown>, {
    get:
      (_, name) =>
      (...given: unknown[]) =>
        calls.push(`${String(name)} ${given.join(" ")}`),
    set: () => true,
  });
  const pen = new CanvasPen(context as unknown as CanvasRenderingContext2D, "sans-serif");
  const path: Path = [1, 2, 3, 4, Number.NaN, Number.NaN, 5, 6, 7, 8];
  pen.path(path, { colour: "red", width: 1 });
  expect(calls.filter((call) => /moveTo|lineTo/.test(call))).toEqual([
    "moveTo 1 2",
    "lineTo 3 4",
    "moveTo 5 6",
    "lineTo 7 8",
  ]);
});

test("a window stays inside what there is, and all of it is no window", () => {
  expect(within([-5, 5], [0, 100])).toEqual([0, 10]);
  expect(within([95, 105], [0, 100])).toEqual([90, 100]);
  expect(within([20, 30], [0, 100])).toEqual([20, 30]);
  expect(within([-10, 200], [0, 100])).toBeNull();
  expect(within([7, 7], [0, 100])).toBeNull();
});
