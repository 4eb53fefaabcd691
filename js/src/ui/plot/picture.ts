import { PLOT_HEIGHT } from "../card.ts";
import type { Theme } from "../theme.ts";
import { CanvasPen, type Pen, SvgPen } from "./pen.ts";
import { draw, frame, type Scene } from "./scene.ts";

/** One plot of a picture: its name, what its lines are called, and what is in it. */
export interface Pictured {
  title: string;
  labels: readonly string[];
  scene: Scene;
}

const WIDTH = 360;
const HEAD = 24;
const ROW = 16; // px of a label's row
const GAP = 16;
const MOST = 3; // plots side by side
const SHARP = 2; // pixels of a PNG for one of the picture
const LABELS = 8; // named below a plot; the others are counted

interface Sheet {
  width: number;
  height: number;
  draw(pen: Pen): void;
}

function sheet(plots: readonly Pictured[], theme: Theme): Sheet {
  if (plots.length === 0) throw new Error("there is no plot to take a picture of");
  const across = Math.min(MOST, plots.length);
  const rows = Math.ceil(plots.length / across);
  const tall =
    HEAD + PLOT_HEIGHT + ROW * Math.max(...plots.map(({ labels }) => Math.min(LABELS + 1, labels.length))) + 8;
  const width = across * (WIDTH + GAP) + GAP;
  const height = rows * (tall + GAP) + GAP;
  return {
    width,
    height,
    draw(pen) {
      pen.area([0, 0, width, 0, width, height, 0, height], theme.surface, 1);
      plots.forEach((plot, i) => {
        const left = GAP + (i % across) * (WIDTH + GAP);
        const top = GAP + Math.floor(i / across) * (tall + GAP);
        pen.moved(left, top, () => drawPlot(pen, plot));
      });
    },
  };
}

function drawPlot(pen: Pen, { title, labels, scene }: Pictured): void {
  const { theme } = scene;
  pen.text(title, 0, 14, "left", theme.ink, true);
  pen.moved(0, HEAD, () => draw(pen, scene, frame(scene, WIDTH, PLOT_HEIGHT)));
  labels.slice(0, LABELS).forEach((label, i) => {
    const y = HEAD + PLOT_HEIGHT + 8 + ROW * i;
    const { colour = theme.ink, dash = [] } = scene.lines[i] ?? {};
    pen.path([0, y, 18, y], { colour, dash, width: 2.5 });
    pen.text(label, 26, y + 4, "left", theme.ink);
  });
  const left = labels.length - LABELS;
  if (left > 0) pen.text(`and ${left} more`, 26, HEAD + PLOT_HEIGHT + 12 + ROW * LABELS, "left", theme.muted);
}

export function toSvg(plots: readonly Pictured[], theme: Theme): Blob {
  const { width, height, draw } = sheet(plots, theme);
  const pen = new SvgPen(width, height, theme.font);
  draw(pen);
  return new Blob([new XMLSerializer().serializeToString(pen.el)], { type: "image/svg+xml" });
}

export function toPng(plots: readonly Pictured[], theme: Theme): Promise<Blob> {
  const { width, height, draw } = sheet(plots, theme);
  const canvas = document.createElement("canvas");
  canvas.width = width * SHARP;
  canvas.height = height * SHARP;
  const context = canvas.getContext("2d");
  return new Promise((give, refuse) => {
    if (!context) return refuse(new Error("this browser gave no canvas to draw the picture on"));
    context.scale(SHARP, SHARP);
    draw(new CanvasPen(context, theme.font));
    canvas.toBlob((blob) => (blob ? give(blob) : refuse(new Error("this picture is too large for the browser"))));
  });
}
