import { shape as draw, element } from "../element.ts";
import { formatTyped } from "../format.ts";

/** One line of a plot. */
export interface Stroke {
  name: string;
  colour: string;
  dash: string;
  x: readonly number[];
  y: readonly number[];
}

/** Something in a plot that stands for rows: a dot or a bar, which is a button. */
export interface Spot {
  key: string; // the same where several spots stand for the same
  said: string; // what it is, in words
  colour: string;
  shape: SVGElement;
  act(): void;
}

export interface PlotOf {
  title: string;
  across: string; // what the axes say
  up: string;
  x: readonly [number, number];
  y: readonly [number, number];
  strokes: readonly Stroke[];
  rule: "up" | "none"; // a line of chance or of truth, from corner to corner
  spots: readonly Spot[];
}

export const WIDE = 320;
export const HIGH = 226;
const [LEFT, RIGHT, TOP, BOTTOM] = [50, 10, 8, 38];
const TICKS = 4;

/** Where a value stands in the picture. */
export function scales(x: readonly [number, number], y: readonly [number, number]) {
  const along = (x[1] - x[0] || 1) / (WIDE - LEFT - RIGHT);
  const above = (y[1] - y[0] || 1) / (HIGH - TOP - BOTTOM);
  return {
    across: (value: number): number => LEFT + (value - x[0]) / along,
    up: (value: number): number => HIGH - BOTTOM - (value - y[0]) / above,
  };
}

/** A plot with axes, lines and spots; its points as a table for who does not see it. */
export function plotView(plot: PlotOf): HTMLElement {
  const { across, up } = scales(plot.x, plot.y);
  const svg = draw("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "group", "aria-label": plot.title });
  for (const at of ticks(plot.y)) {
    svg.append(draw("path", { class: "rule", d: `M${LEFT} ${up(at)}H${WIDE - RIGHT}` }));
    svg.append(draw("text", { x: LEFT - 6, y: up(at) + 3.5, "text-anchor": "end" }, formatTyped(at)));
  }
  for (const at of ticks(plot.x)) {
    svg.append(draw("path", { class: "rule", d: `M${across(at)} ${TOP}V${HIGH - BOTTOM}` }));
    svg.append(draw("text", { x: across(at), y: HIGH - BOTTOM + 15, "text-anchor": "middle" }, formatTyped(at)));
  }
  const middle = (HIGH - BOTTOM + TOP) / 2;
  svg.append(
    draw("text", { class: "axis", x: (LEFT + WIDE - RIGHT) / 2, y: HIGH - 6, "text-anchor": "middle" }, plot.across),
  );
  const turned = { class: "axis", transform: `translate(9 ${middle}) rotate(-90)`, "text-anchor": "middle" };
  svg.append(draw("text", turned, plot.up));
  if (plot.rule === "up") {
    const d = `M${across(plot.x[0])} ${up(plot.y[0])}L${across(plot.x[1])} ${up(plot.y[1])}`;
    svg.append(draw("path", { class: "chance", d }));
  }
  for (const { x, y, colour, dash } of plot.strokes) {
    const d = x
      .map((value, at) => `${at ? "L" : "M"}${across(value).toFixed(1)} ${up(y[at] ?? 0).toFixed(1)}`)
      .join("");
    svg.append(draw("path", { class: "stroke", d, stroke: colour, "stroke-dasharray": dash, "aria-hidden": "true" }));
  }
  svg.append(...spots(plot.spots));
  return element("figure", { class: "plot" }, element("figcaption", {}, plot.title), svg, table(plot));
}

/** Buttons in a picture: Tab comes to one of them, arrows go through all. */
function spots(all: readonly Spot[]): SVGElement[] {
  const made = all.map(({ key, said, colour, shape, act }, at) => {
    const tabindex = at === 0 ? 0 : -1;
    const title = draw("title", {}, said);
    const button = { class: "spot", role: "button", tabindex, "aria-label": said, "aria-pressed": "false" };
    const spot = draw("g", { ...button, "data-key": key, fill: colour }, title, shape);
    spot.addEventListener("click", act);
    return spot;
  });
  made.forEach((spot, at) => {
    spot.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Enter" || event.key === " ") all[at]?.act();
      else if (by === undefined) return;
      else move(made, at, by);
      event.preventDefault();
    });
  });
  return made;
}

function move(spots: readonly SVGElement[], at: number, by: number): void {
  const next = spots[at + by];
  if (!next) return;
  spots[at]?.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}

function ticks([low, high]: readonly [number, number]): number[] {
  const rough = (high - low) / TICKS || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/** A few points of each line in words: a picture alone tells nothing to a screen reader. */
function table({ strokes, title, across, up }: PlotOf): HTMLElement {
  const made = element("table", {}, element("caption", {}, title));
  made.append(element("tr", {}, ...["line", across, up].map((head) => element("th", { scope: "col" }, head))));
  for (const { name, x, y } of strokes) {
    const every = Math.max(1, Math.floor(x.length / 10));
    x.forEach((value, at) => {
      if (at % every > 0 && at < x.length - 1) return;
      const cells = [formatTyped(value), formatTyped(y[at] ?? 0)].map((text) => element("td", {}, text));
      made.append(element("tr", {}, element("th", { scope: "row" }, name), ...cells));
    });
  }
  return element("div", { class: "ct-unseen" }, made); // a table itself is never narrower than its words
}
