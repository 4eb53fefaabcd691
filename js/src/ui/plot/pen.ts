import { shape } from "../element.ts";

/** x, y, x, y ...; a NaN lifts the pen. */
export type Path = number[];

export interface Stroke {
  colour: string;
  width: number;
  dash?: readonly number[];
  alpha?: number;
}

/** What a plot is drawn with: on the screen, into a PNG, or as an SVG. */
export interface Pen {
  path(path: Path, stroke: Stroke): void;
  area(path: Path, colour: string, alpha: number): void;
  dot(x: number, y: number, radius: number, colour: string, edge?: string): void;
  text(words: string, x: number, y: number, align: CanvasTextAlign, colour: string, bold?: boolean): void;
  /** What is drawn meanwhile stands so far to the right and below. */
  moved(x: number, y: number, draw: () => void): void;
  /** What is drawn meanwhile does not reach beyond this box. */
  within(box: Box, draw: () => void): void;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Numbers in a path from which on nobody sees its corners, and round ones would take half of the time. */
const DENSE = 1000;

/** Draws at once, in CSS pixels. */
export class CanvasPen implements Pen {
  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly font: string,
  ) {}

  path(path: Path, { colour, width, dash = [], alpha = 1 }: Stroke): void {
    const { context } = this;
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineJoin = path.length > DENSE ? "bevel" : "round";
    context.setLineDash([...dash]);
    this.#trace(path);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  area(path: Path, colour: string, alpha: number): void {
    const { context } = this;
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    this.#trace(path);
    context.fill();
    context.globalAlpha = 1;
  }

  dot(x: number, y: number, radius: number, colour: string, edge?: string): void {
    const { context } = this;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    if (!edge) return;
    context.strokeStyle = edge;
    context.lineWidth = 1.5;
    context.stroke();
  }

  text(words: string, x: number, y: number, align: CanvasTextAlign, colour: string, bold = false): void {
    const { context } = this;
    context.font = `${bold ? "600 12.5px" : "11px"} ${this.font}`;
    context.textAlign = align;
    context.fillStyle = colour;
    context.fillText(words, x, y);
  }

  moved(x: number, y: number, draw: () => void): void {
    this.context.save();
    this.context.translate(x, y);
    draw();
    this.context.restore();
  }

  within({ left, top, width, height }: Box, draw: () => void): void {
    this.context.save();
    this.context.beginPath();
    this.context.rect(left, top, width, height);
    this.context.clip();
    draw();
    this.context.restore();
  }

  #trace(path: Path): void {
    const { context } = this;
    context.beginPath();
    let down = false;
    for (let i = 0; i < path.length; i += 2) {
      const x = path[i] as number;
      const y = path[i + 1] as number;
      if (Number.isNaN(x)) down = false;
      else if (down) context.lineTo(x, y);
      else {
        context.moveTo(x, y);
        down = true;
      }
    }
  }
}

/** Gathers elements; what comes from a trail gets in by attribute and text only. */
export class SvgPen implements Pen {
  readonly el: SVGElement;
  #into: SVGElement;
  #boxes = 0;

  constructor(width: number, height: number, font: string) {
    this.el = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "font-family": font });
    this.#into = this.el;
  }

  path(path: Path, { colour, width, dash = [], alpha = 1 }: Stroke): void {
    this.#add("path", {
      d: spelt(path),
      fill: "none",
      stroke: colour,
      "stroke-width": width,
      "stroke-linejoin": "round",
      "stroke-dasharray": dash.join(" ") || null,
      opacity: alpha,
    });
  }

  area(path: Path, colour: string, alpha: number): void {
    this.#add("path", { d: spelt(path), fill: colour, opacity: alpha });
  }

  dot(x: number, y: number, radius: number, colour: string, edge?: string): void {
    this.#add("circle", { cx: short(x), cy: short(y), r: radius, fill: colour, stroke: edge ?? null });
  }

  text(words: string, x: number, y: number, align: CanvasTextAlign, colour: string, bold = false): void {
    const anchor = align === "right" ? "end" : align === "center" ? "middle" : "start";
    this.#add("text", {
      x: short(x),
      y: short(y),
      "text-anchor": anchor,
      fill: colour,
      "font-size": bold ? 12.5 : 11,
      "font-weight": bold ? 600 : null,
    }).textContent = words;
  }

  within({ left, top, width, height }: Box, draw: () => void): void {
    const into = this.#into;
    const id = `box${++this.#boxes}`;
    const clip = this.#add("clipPath", { id });
    clip.append(shape("rect", { x: left, y: top, width, height }));
    this.#into = this.#add("g", { "clip-path": `url(#${id})` });
    draw();
    this.#into = into;
  }

  moved(x: number, y: number, draw: () => void): void {
    const into = this.#into;
    this.#into = this.#add("g", { transform: `translate(${x} ${y})` });
    draw();
    this.#into = into;
  }

  #add(tag: string, attributes: Record<string, string | number | null>): SVGElement {
    const el = shape(tag, attributes);
    this.#into.append(el);
    return el;
  }
}

function spelt(path: Path): string {
  let d = "";
  let down = false;
  for (let i = 0; i < path.length; i += 2) {
    const x = path[i] as number;
    if (!Number.isNaN(x)) d += `${down ? "L" : "M"}${short(x)} ${short(path[i + 1] as number)}`;
    down = !Number.isNaN(x);
  }
  return d;
}

const short = (value: number): string => String(Math.round(value * 10) / 10);
