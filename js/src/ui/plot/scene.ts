import type { Theme } from "../theme.ts";
import type { Box, Path, Pen } from "./pen.ts";
import type { Spread } from "./pool.ts";
import { type Bend, type Scale, scale } from "./scale.ts";
import { type X, xTicks, yRange, yTicks } from "./ticks.ts";
import { type Curve, search } from "./trace.ts";

/** One line of a plot. */
export interface Line {
  curve: Curve;
  /** Drawn faintly behind it: what was smoothed. */
  raw: Curve | null;
  /** The point that is best of all. */
  best: Point | null;
  colour: string;
  dash: readonly number[];
  shown: boolean;
  /** x of the values no line can show. */
  marks: readonly number[];
  /** Around the mean of a group. */
  spread: Spread | null;
}

export interface Point {
  x: number;
  y: number;
}

/** A stretch between two curves, with the middle of it. */
export interface Band {
  x: readonly number[];
  low: readonly number[];
  /** A line in the middle of it. */
  middle?: readonly number[];
  high: readonly number[];
}

/** A place on the x axis of which something was said: a note as a pennant, an alert as a triangle. */
export interface Flag {
  x: number;
  level: "note" | "info" | "warn" | "error";
}

/** Everything that is to be seen in a plot. */
export interface Scene {
  lines: readonly Line[];
  range: readonly [number, number];
  by: X;
  /** How values are said along y, where they are no plain numbers. */
  tick: ((value: number) => string) | null;
  bend: Bend;
  theme: Theme;
  /** Behind the lines: where the middle half of others stood. */
  bands: readonly Band[];
  /** Notes and alerts. */
  flags: readonly Flag[];
}

/** Where things stand in a plot of this size. */
export interface Frame {
  box: Box;
  across: Scale;
  up: Scale;
  x(value: number): number;
  y(value: number): number;
}

const LEFT = 52;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 26;
const MARK = 7; // px a mark stands above the axis
const SPARSE = 12; // px a point needs to be drawn as a dot
const MANY = 8; // lines from which on they are drawn thinner
const HEAVY = 10_000; // points from which on they are one pixel wide: that is drawn ten times as fast
const FADED = 0.25;
const RAW = 0.3;
const BAND = 0.2;
const ROOM = 0.5; // of the height of the lines is left above and below them for a band of others

export function frame(scene: Scene, width: number, height: number): Frame {
  const box = { left: LEFT, top: TOP, width: Math.max(1, width - LEFT - RIGHT), height: height - TOP - BOTTOM };
  const across = scale("linear", ...scene.range);
  const up = scale(scene.bend, ...yRange(...valuesWithin(scene), scene.bend));
  return {
    box,
    across,
    up,
    x: (value) => box.left + across.place(value) * box.width,
    y: (value) => box.top + (1 - up.place(value)) * box.height,
  };
}

/** The lowest and the highest value that stand in the window. */
function valuesWithin({ lines, range, bend, bands }: Scene): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { curve, raw, shown, spread } of lines) {
    if (!shown) continue;
    const { x, y } = raw ?? curve;
    if (spread) widen(spread);
    for (let i = search(x, range[0]); i < x.length && (x[i] as number) <= range[1]; i++) {
      const value = y[i] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const lowest = low;
  const highest = high;
  for (const band of bands) widen(band);
  return [Math.max(low, beyond(lowest, highest, bend)), Math.min(high, beyond(highest, lowest, bend))];

  function widen({ x, low: under, high: over }: Pick<Spread, "x" | "low" | "high">): void {
    for (let i = search(x, range[0]); i < x.length && (x[i] as number) <= range[1]; i++) {
      const [least, most] = [under[i] as number, over[i] as number];
      if (least < low && (bend !== "log" || least > 0)) low = least;
      if (most > high) high = most;
    }
  }
}

/** How far a band may reach on this side of the lines, which it must not make flat. */
function beyond(end: number, other: number, bend: Bend): number {
  if (end === other) return end;
  return bend === "log" ? end * (end / other) ** ROOM : end + (end - other) * ROOM;
}

/** Draws axes and lines; one line may stand out. */
export function draw(pen: Pen, scene: Scene, at: Frame, focus: number | null = null): void {
  const { lines, theme } = scene;
  drawAxes(pen, scene, at);
  const { box } = at;
  const shown = lines.filter((line) => line.shown);
  const points = shown.reduce((sum, { curve }) => sum + curve.x.length, 0);
  const plain = shown.length <= MANY ? 1.75 : points > HEAVY ? 1 : 1.25;
  pen.within({ ...box, top: 0, height: box.top + box.height }, () => {
    for (const band of scene.bands) drawBand(pen, band, at, theme.muted);
    lines.forEach((line, i) => {
      if (!line.shown) return;
      const faded = focus !== null && focus !== i;
      const path = pathOf(line.curve, at);
      const { colour, dash, raw, spread } = line;
      if (spread && !faded) drawBand(pen, spread, at, colour);
      if (raw && !faded) pen.path(pathOf(raw, at), { colour, width: 1, alpha: RAW });
      pen.path(path, { colour, dash, width: focus === i ? plain + 0.75 : plain, alpha: faded ? FADED : 1 });
      if (!faded && path.length / 2 <= box.width / SPARSE) drawDots(pen, path, colour);
      drawMarks(pen, line, at, theme.bad);
    });
  });
  for (const flag of scene.flags) drawFlag(pen, flag, at, theme);
  // A ring at the edge of the window is drawn whole.
  lines.forEach(({ best, colour, shown }, i) => {
    if (!best || !shown || best.x < scene.range[0] || best.x > scene.range[1]) return;
    if (focus === null || focus === i) pen.dot(at.x(best.x), at.y(best.y), 4, theme.surface, colour);
  });
}

function drawAxes(pen: Pen, { by, tick, theme }: Scene, { box, across, up, x, y }: Frame): void {
  const right = box.left + box.width;
  const bottom = box.top + box.height;
  for (const { value, word } of yTicks(up, box.height)) {
    const at = Math.round(y(value)) + 0.5;
    pen.path([box.left, at, right, at], { colour: theme.line, width: 1 });
    pen.text(tick?.(value) ?? word, box.left - 6, at + 3.5, "right", theme.muted);
  }
  for (const { value, word } of xTicks(by, across.min, across.max, box.width)) {
    const at = x(value);
    // the last word may not reach beyond the edge
    const room = right + RIGHT - at < 3.2 * word.length;
    pen.text(word, room ? right + RIGHT : at, bottom + 16, room ? "right" : "center", theme.muted);
  }
}

/** A band is as many areas as it has stretches without a gap; below a logarithmic axis it goes to its foot. */
function drawBand(pen: Pen, { x, low, middle, high }: Band, at: Frame, colour: string): void {
  let over: Path = [];
  let under: Path = [];
  const shut = (): void => {
    if (over.length > 2) pen.area([...over, ...under], colour, BAND);
    over = [];
    under = [];
  };
  x.forEach((place, i) => {
    const [least, most] = [low[i] as number, high[i] as number];
    if (Number.isNaN(least) || Number.isNaN(most)) {
      shut();
      return;
    }
    const foot = at.up.bend === "log" && least <= 0 ? at.up.min : least;
    over.push(at.x(place), at.y(most));
    under.unshift(at.x(place), at.y(foot));
  });
  shut();
  if (middle) pen.path(pathOf({ x, y: middle }, at), { colour, width: 1, alpha: 0.7, dash: [2, 3] });
}

function drawFlag(pen: Pen, { x: place, level }: Flag, { box, x: across }: Frame, theme: Theme): void {
  const x = across(place);
  const { top } = box;
  if (x < box.left || x > box.left + box.width) return;
  const colour = { note: theme.accent, info: theme.muted, warn: theme.warn, error: theme.bad }[level];
  pen.path([x, top, x, top + box.height], { colour, width: 1, alpha: 0.5 });
  if (level === "note") pen.area([x, top, x + 8, top + 3.5, x, top + 7], colour, 1);
  else pen.area([x - 5, top + 8, x + 5, top + 8, x, top], colour, 1);
}

function drawDots(pen: Pen, path: Path, colour: string): void {
  for (let i = 0; i < path.length; i += 2) {
    const x = path[i] as number;
    if (!Number.isNaN(x)) pen.dot(x, path[i + 1] as number, 2.25, colour);
  }
}

function drawMarks(pen: Pen, { marks }: Line, { box, x }: Frame, colour: string): void {
  const bottom = box.top + box.height;
  for (const mark of marks) {
    const at = x(mark);
    if (at < box.left || at > box.left + box.width) continue;
    pen.path([at, bottom, at, bottom - MARK], { colour, width: 2 });
  }
}

/** A curve in pixels, from the point before the window to the point after it; where many share a pixel, their span. */
export function pathOf({ x, y }: Curve, at: Frame): Path {
  const from = Math.max(0, search(x, at.across.min) - 1);
  const end = Math.min(x.length, search(x, at.across.max) + 1);
  const path: Path = [];
  if (end - from <= 3 * at.box.width) {
    for (let i = from; i < end; i++) put(path, at.x(x[i] as number), at.y(y[i] as number));
    return path;
  }
  let column = Number.NaN;
  let low = 0;
  let high = 0;
  let rising = true;
  const shut = (): void => {
    if (Number.isNaN(column)) return;
    path.push(column, rising ? low : high);
    if (low !== high) path.push(column, rising ? high : low);
  };
  for (let i = from; i < end; i++) {
    const value = at.y(y[i] as number);
    const place = Math.floor(at.x(x[i] as number)) + 0.5;
    if (!Number.isFinite(value)) {
      shut();
      column = Number.NaN;
      put(path, Number.NaN, Number.NaN);
    } else if (place !== column) {
      shut();
      column = place;
      low = high = value;
      rising = true;
    } else if (value < low) {
      low = value;
      rising = false;
    } else if (value > high) {
      high = value;
      rising = true;
    }
  }
  shut();
  return path;
}

function put(path: Path, x: number, y: number): void {
  if (Number.isFinite(x) && Number.isFinite(y)) path.push(x, y);
  else path.push(Number.NaN, Number.NaN);
}
