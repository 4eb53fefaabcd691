import { CanvasPen } from "./pen.ts";
import { draw, type Frame, frame, type Scene } from "./scene.ts";
import { nearest, search } from "./trace.ts";

export type Range = [number, number];

export interface PlotEvents {
  /** The pointer stands at this x, or has left. */
  point(x: number | null): void;
  /** A stretch of x is being dragged; null when it is over. */
  brush(range: Range | null): void;
  /** A stretch of x is to be shown; null is everything again. */
  zoom(range: Range | null): void;
  /** A line was clicked on at this x. */
  click(line: number, x: number): void;
}

const REACH = 14; // px beyond its last point where a line still answers to the cursor
const PROXIMITY = 18; // px from the pointer within which a line stands out
const DRAGGED = 4; // px from which on a press is no click
const LEAST = 40; // px of width below which there is nothing to draw in
const WHEEL = 1.002; // zoom for a wheel's unit

/** A canvas with axes and lines, and another above it for the cursor. */
export class Plot {
  readonly el: HTMLElement;
  readonly #below = document.createElement("canvas");
  readonly #above = document.createElement("canvas");
  #scene: Scene | undefined;
  #frame: Frame | undefined;
  #width = 0;
  #focus: number | null = null;
  #cursor: number | null = null;
  #brushed: Range | null = null;
  #drag: { from: number; pans: boolean } | undefined;
  #walked = 0;

  constructor(
    private readonly events: PlotEvents,
    private readonly height: number,
  ) {
    this.el = document.createElement("div");
    this.el.className = "plot";
    this.el.setAttribute("aria-hidden", "true");
    this.el.append(this.#below, this.#above);
    const on = this.#above;
    on.addEventListener("pointerdown", (event) => this.#press(event));
    on.addEventListener("pointermove", (event) => this.#move(event));
    on.addEventListener("pointerup", (event) => this.#release(event));
    on.addEventListener("pointercancel", () => this.#drop());
    on.addEventListener("pointerleave", () => this.#drag || this.#leave());
    on.addEventListener("dblclick", () => this.events.zoom(null));
    on.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  /** The line that the arrow keys walk on. */
  get walked(): number {
    return this.#focus ?? 0;
  }

  /** Where the cursor stands. */
  get cursor(): number | null {
    return this.#cursor;
  }

  /** False when there is no room to draw in, as in an output that is folded or not laid out at the moment. */
  show(scene: Scene, width: number): boolean {
    if (width < LEAST) return false;
    this.#scene = scene;
    this.#frame = frame(scene, width, this.height);
    this.#width = width;
    this.#draw();
    this.#overlay();
    return true;
  }

  /** Brightens one line and fades the rest; null makes them equal again. */
  focus(line: number | null): void {
    if (line === this.#focus) return;
    this.#focus = line;
    this.#draw();
  }

  /** Sets the cursor; what each line has there, by index of its point, -1 where it has nothing. */
  point(x: number | null): number[] {
    this.#cursor = x;
    this.#overlay();
    return x === null ? [] : this.#found(x);
  }

  brush(range: Range | null): void {
    this.#brushed = range;
    this.#overlay();
  }

  /** Moves the cursor by points of a line, as the arrow keys do. */
  walk(by: number, sideways: number): void {
    const lines = this.#scene?.lines ?? [];
    const range = this.#scene?.range ?? [0, 0];
    const shown = lines.flatMap((line, i) => (line.shown && line.curve.x.length > 0 ? [i] : []));
    if (shown.length === 0) return;
    this.#walked = Math.min(Math.max(this.#walked + sideways, 0), shown.length - 1);
    const line = shown[this.#walked] ?? 0;
    const places = lines[line]?.curve.x ?? [];
    const first = search(places, range[0]);
    const last = Math.max(
      first,
      places.findLastIndex((place) => place <= range[1]),
    );
    const from = this.#cursor === null ? (by > 0 ? first - 1 : last + 1) : search(places, this.#cursor);
    const next = Math.min(Math.max(from + by, first), last, places.length - 1);
    if (shown.length > 1) this.focus(line);
    this.events.point(places[next] ?? null);
  }

  /** Nothing is left of what was drawn, until the next time; the room is kept. */
  clear(): void {
    this.#below.width = this.#above.width = 0;
  }

  destroy(): void {
    this.el.remove();
  }

  #found(x: number): number[] {
    const at = this.#frame;
    const { lines } = this.#scene ?? { lines: [] };
    if (!at) return [];
    const reach = at.across.value(REACH / at.box.width) - at.across.min;
    return lines.map((line) => (line.shown ? nearest(line.curve, x, reach) : -1));
  }

  #draw(): void {
    const { theme } = this.#scene ?? {};
    const context = this.#fresh(this.#below);
    if (context && theme && this.#scene && this.#frame) {
      draw(new CanvasPen(context, theme.font), this.#scene, this.#frame, this.#focus);
    }
  }

  /** The cursor, its points and what is being dragged. */
  #overlay(): void {
    const { theme, lines, range } = this.#scene ?? {};
    const at = this.#frame;
    const context = this.#fresh(this.#above);
    if (!context || !at || !theme || !lines || !range) return;
    const pen = new CanvasPen(context, theme.font);
    const { box } = at;
    const bottom = box.top + box.height;
    const brushed = this.#brushed;
    pen.within(box, () => {
      if (brushed) {
        const [left, right] = [at.x(brushed[0]), at.x(brushed[1])];
        pen.area([left, box.top, right, box.top, right, bottom, left, bottom], theme.accent, 0.16);
      }
      const x = this.#cursor;
      if (x === null || x < range[0] || x > range[1]) return;
      pen.path([at.x(x), box.top, at.x(x), bottom], { colour: theme.muted, width: 1, alpha: 0.6 });
    });
    this.#found(this.#cursor ?? Number.NaN).forEach((index, i) => {
      const line = lines[i];
      const x = line?.curve.x[index];
      const y = line?.curve.y[index];
      if (this.#cursor === null || !line || x === undefined || y === undefined) return;
      if (x >= range[0] && x <= range[1]) pen.dot(at.x(x), at.y(y), 3.5, line.colour);
    });
  }

  /** An empty canvas at the resolution of the screen. */
  #fresh(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
    const dots = devicePixelRatio;
    const [width, height] = [Math.round(this.#width * dots), Math.round(this.height * dots)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d");
    context?.setTransform(dots, 0, 0, dots, 0, 0);
    context?.clearRect(0, 0, this.#width, this.height);
    return context;
  }

  #press(event: PointerEvent): void {
    const x = this.#x(event);
    if (x === undefined || event.button > 1) return;
    if (event.button === 1) event.preventDefault();
    this.#above.setPointerCapture(event.pointerId);
    this.#drag = { from: x, pans: event.shiftKey || event.button === 1 };
  }

  #move(event: PointerEvent): void {
    const x = this.#x(event);
    const at = this.#frame;
    if (x === undefined || !at) return;
    const drag = this.#drag;
    if (drag?.pans) {
      const by = drag.from - x;
      this.events.zoom([at.across.min + by, at.across.max + by]);
      return;
    }
    if (drag) this.events.brush(this.#isDragged(x) ? span(drag.from, x) : null);
    this.events.point(this.#snapped(x));
    this.#lean(event.offsetY, x, at);
  }

  /** The nearest x that a line has a point at. */
  #snapped(x: number): number {
    const { lines } = this.#scene ?? { lines: [] };
    let best = Number.POSITIVE_INFINITY;
    this.#found(x).forEach((index, i) => {
      const at = lines[i]?.curve.x[index] ?? Number.POSITIVE_INFINITY;
      if (Math.abs(at - x) < Math.abs(best - x)) best = at;
    });
    return Number.isFinite(best) ? best : x;
  }

  /** The line nearest to the pointer stands out. */
  #lean(y: number, x: number, at: Frame): void {
    const { lines } = this.#scene ?? { lines: [] };
    if (lines.length < 2) return;
    let best: number | null = null;
    let least = PROXIMITY;
    this.#found(x).forEach((index, i) => {
      const value = lines[i]?.curve.y[index];
      if (value === undefined) return;
      const distance = Math.abs(at.y(value) - y);
      if (distance < least) {
        least = distance;
        best = i;
      }
    });
    this.focus(best);
  }

  #release(event: PointerEvent): void {
    const x = this.#x(event);
    const drag = this.#drag;
    const dragged = x !== undefined && this.#isDragged(x);
    this.#drop();
    if (!drag || drag.pans || x === undefined) return;
    if (dragged) this.events.zoom(span(drag.from, x));
    else if (this.#scene?.lines.length === 1 || this.#focus !== null) {
      this.events.click(this.#focus ?? 0, this.#snapped(x));
    }
  }

  #drop(): void {
    this.#drag = undefined;
    this.events.brush(null);
  }

  #leave(): void {
    this.focus(null);
    this.events.point(null);
  }

  /** With Ctrl the wheel zooms about the pointer, sideways it pans; otherwise it scrolls the notebook. */
  #wheel(event: WheelEvent): void {
    const x = this.#x(event);
    const range = this.#scene?.range;
    const at = this.#frame;
    if (x === undefined || !range || !at) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const factor = WHEEL ** event.deltaY;
      this.events.zoom([x + (range[0] - x) * factor, x + (range[1] - x) * factor]);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const by = ((range[1] - range[0]) * event.deltaX) / at.box.width;
      this.events.zoom([range[0] + by, range[1] + by]);
    }
  }

  #isDragged(x: number): boolean {
    const at = this.#frame;
    return at !== undefined && this.#drag !== undefined && Math.abs(at.x(x) - at.x(this.#drag.from)) >= DRAGGED;
  }

  /** x under the pointer, within the window. */
  #x(event: MouseEvent): number | undefined {
    const at = this.#frame;
    if (!at) return undefined;
    const place = (event.offsetX - at.box.left) / at.box.width;
    return at.across.value(Math.min(1, Math.max(0, place)));
  }
}

function span(a: number, b: number): Range {
  return a < b ? [a, b] : [b, a];
}

/** A window moved and cut so that it lies in `all`; null when that is all of it. */
export function within([low, high]: Range, all: Range): Range | null {
  const width = high - low;
  if (width >= all[1] - all[0] || !(width > 0)) return null;
  const from = Math.min(Math.max(low, all[0]), all[1] - width);
  return [from, from + width];
}
