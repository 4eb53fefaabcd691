import uPlot from "uplot";
import { assert } from "../assert.ts";
import type { Joined, X } from "./join.ts";
import type { Theme } from "./theme.ts";
import { logTick, logTicks, xIncrements, xTick, yRange, yTick } from "./ticks.ts";

export interface Line {
  colour: number;
  dash: readonly number[];
  shown: boolean;
}

export interface PlotLook {
  lines: Line[];
  theme: Theme;
  x: X;
  log: boolean;
}

export interface PlotEvents {
  /** The value of each line at the cursor, or nothing when the cursor has left. */
  cursor(x: number | null, values: (number | null)[]): void;
  /** A stretch of x was dragged; null is "everything again". */
  zoom(range: [number, number] | null): void;
}

const MARK_HEIGHT = 7;
const REACH = 14; // px beyond its last point where a line still answers to the cursor
const SPARSE = 12; // px a point needs to be drawn as a dot

/** One uPlot: made anew when its look changes, otherwise fed in place. */
export class Plot {
  #u: uPlot | undefined;
  #joined: Joined = { x: [], y: [], marks: [], unshown: [] };
  #width = 0;

  constructor(
    private readonly into: HTMLElement,
    private readonly sync: string,
    private readonly events: PlotEvents,
    private look: PlotLook,
    private readonly height: number,
  ) {}

  restyle(look: PlotLook): void {
    this.look = look;
    this.destroy();
  }

  show(line: number, shown: boolean): void {
    const known = this.look.lines[line];
    if (known) known.shown = shown;
    this.#u?.setSeries(line + 1, { show: shown }, false);
  }

  /** Brightens one line and fades the rest; null makes them equal again. */
  focus(line: number | null): void {
    // uPlot takes null for "none", its types do not.
    this.#u?.setSeries((line === null ? null : line + 1) as number, { focus: line !== null }, false);
  }

  /** False when there is no room to draw in, as in an output that is folded or not laid out at the moment. */
  draw(joined: Joined, range: [number, number], width: number): boolean {
    if (width < 40) return false;
    this.#joined = joined;
    const data = [joined.x, ...joined.y] as uPlot.AlignedData;
    const u = this.#u ?? this.#make(width, range, data);
    if (this.#width !== width) u.setSize({ width, height: this.height });
    this.#width = width;
    u.batch(() => {
      u.setData(data, false);
      u.setScale("x", { min: range[0], max: range[1] });
    });
    return true;
  }

  /** Moves the cursor by points, as the arrow keys do; false when there is nothing to stand on. */
  walk(by: number): boolean {
    const u = this.#u;
    const { x } = this.#joined;
    if (!u || x.length === 0) return false;
    const { min, max } = u.scales.x ?? {};
    const at = u.cursor.idx ?? (by > 0 ? -1 : x.length);
    const target = x.findIndex((value) => value >= (min ?? value));
    const end = x.findLastIndex((value) => value <= (max ?? value));
    const next = Math.min(Math.max(at + by, target), end);
    const left = u.valToPos(x[next] ?? 0, "x");
    this.#point(u, left, u.bbox.height / devicePixelRatio / 2);
    return true;
  }

  leave(): void {
    const u = this.#u;
    if (!u) return;
    this.#point(u, -10, -10);
  }

  destroy(): void {
    this.#u?.destroy();
    this.#u = undefined;
  }

  /** Places the cursor here and in the plots beside; uPlot's third argument is missing in its types. */
  #point(u: uPlot, left: number, top: number): void {
    const place: (at: { left: number; top: number }, fire: boolean, publish: boolean) => void = u.setCursor;
    place({ left, top }, true, true);
  }

  #make(width: number, range: [number, number], data: uPlot.AlignedData): uPlot {
    this.#width = width;
    const u = new uPlot(this.#options(width, range), data, this.into);
    u.root.setAttribute("aria-hidden", "true");
    this.#u = u;
    return u;
  }

  #options(width: number, range: [number, number]): uPlot.Options {
    const { theme, x: by, log, lines } = this.look;
    const font = `11px ${theme.font}`;
    const axis = { font, stroke: theme.muted, gap: 6, ticks: { show: false }, border: { show: false } };
    const grid = { stroke: theme.line, width: 1 };
    return {
      width,
      height: this.height,
      padding: [8, 10, 0, 0],
      legend: { show: false },
      focus: { alpha: 0.25 },
      cursor: {
        y: false,
        sync: { key: this.sync, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
        drag: { x: true, y: false, setScale: false },
        focus: { prox: lines.length > 1 ? 18 : -1 },
        points: { size: 7, width: 0, fill: (u, i) => this.#stroke(u, i) },
        dataIdx: (u, series, near, x) => this.#nearest(u, series, near, x),
        bind: {
          dblclick: () => () => {
            this.events.zoom(null);
            return null;
          },
        },
      },
      scales: {
        x: { time: false, range: (_, min, max) => [min ?? range[0], max ?? range[1]] },
        y: { distr: log ? 3 : 1, log: 10, range: (_, min, max) => yRange(min, max, log) },
      },
      axes: [
        {
          ...axis,
          size: 26,
          space: 56,
          grid: { show: false },
          incrs: (_, _axis, min, max) => xIncrements(by, max - min),
          values: (_, splits, _axis, _space, increment) => splits.map((value) => xTick(by, value, increment)),
        },
        {
          ...axis,
          size: 52,
          space: 32,
          grid,
          ...(log
            ? {
                splits: (_: uPlot, _axis: number, min: number, max: number) => logTicks(min, max),
                filter: (_: uPlot, splits: number[]) => splits,
                values: (_: uPlot, splits: number[]) => splits.map(logTick),
              }
            : {
                values: (_: uPlot, splits: number[], _axis: number, _space: number, increment: number) =>
                  splits.map((value) => yTick(value, increment)),
              }),
        },
      ],
      series: [{}, ...lines.map((line, i) => this.#series(line, i))],
      hooks: {
        setCursor: [(u) => this.#tell(u)],
        setSelect: [(u) => this.#select(u)],
        draw: [(u) => this.#drawMarks(u)],
      },
    };
  }

  #series(line: Line, index: number): uPlot.Series {
    const many = this.look.lines.length > 8;
    return {
      show: line.shown,
      scale: "y",
      stroke: (u, i) => this.#stroke(u, i),
      width: many ? 1.25 : 1.75,
      dash: [...line.dash],
      points: {
        size: 4.5,
        width: 0,
        fill: (u, i) => this.#stroke(u, i),
        show: (u) => this.#defined(index) <= u.bbox.width / devicePixelRatio / SPARSE,
      },
    };
  }

  #stroke(_: uPlot, series: number): string {
    const { lines, theme } = this.look;
    const colour = theme.palette[(lines[series - 1]?.colour ?? 0) % theme.palette.length];
    assert(colour, "a theme has a palette");
    return colour;
  }

  #defined(line: number): number {
    let n = 0;
    for (const value of this.#joined.y[line] ?? []) if (typeof value === "number") n++;
    return n;
  }

  /** The line's own point nearest to the cursor: never a neighbour's, and nothing far beyond where the line ends. */
  #nearest(u: uPlot, series: number, near: number, at: number): number {
    if (series === 0) return near;
    const { x, y } = this.#joined;
    const line = y[series - 1] ?? [];
    let left = near;
    while (left >= 0 && line[left] === undefined) left--;
    let right = near;
    while (right < line.length && line[right] === undefined) right++;
    const nothing = null as unknown as number; // uPlot takes null for "no point here", its types do not
    if (left < 0 && right >= line.length) return nothing;
    const gap = (i: number): number => Math.abs((x[i] ?? Number.POSITIVE_INFINITY) - at);
    const best = gap(left) <= gap(right) ? left : right;
    const inside = left >= 0 && right < line.length;
    const far = Math.abs(u.valToPos(x[best] ?? 0, "x") - u.valToPos(at, "x")) > REACH;
    return inside || !far ? best : nothing;
  }

  #tell(u: uPlot): void {
    const index = u.cursor.idx;
    if (index === null || index === undefined || (u.cursor.left ?? -1) < 0) {
      this.events.cursor(null, []);
      return;
    }
    const values = this.#joined.y.map((line, i) => {
      const at = u.cursor.idxs?.[i + 1];
      return at === null || at === undefined ? null : (line[at] ?? null);
    });
    this.events.cursor(this.#joined.x[index] ?? null, values);
  }

  #select(u: uPlot): void {
    const { left, width } = u.select;
    if (width < 4) return;
    const range: [number, number] = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.events.zoom(range);
  }

  #drawMarks(u: uPlot): void {
    const { ctx, bbox } = u;
    const dots = devicePixelRatio;
    ctx.save();
    ctx.fillStyle = this.look.theme.bad;
    this.#joined.marks.forEach((marks, i) => {
      if (!this.look.lines[i]?.shown) return;
      for (const x of marks) {
        const at = u.valToPos(x, "x", true);
        if (at < bbox.left || at > bbox.left + bbox.width) continue;
        ctx.fillRect(Math.round(at - dots), bbox.top + bbox.height - MARK_HEIGHT * dots, 2 * dots, MARK_HEIGHT * dots);
      }
    });
    ctx.restore();
  }
}
