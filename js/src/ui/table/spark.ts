import { shape } from "../element.ts";

export const SPARK_WIDTH = 56;
export const SPARK_HEIGHT = 18;

/** The strokes of a small series: "M x y L x y ...", a new M after each gap, a lone point as a dot-long stroke. */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const known = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  if (known.length === 0) return "";
  const low = Math.min(...known);
  const high = Math.max(...known);
  const pad = 2;
  const stepX = values.length > 1 ? (width - 2 * pad) / (values.length - 1) : 0;
  const y = (value: number): number =>
    high === low ? height / 2 : height - pad - ((value - low) / (high - low)) * (height - 2 * pad);
  let path = "";
  let pen = false;
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      pen = false;
      return;
    }
    const point = `${round(pad + index * stepX)} ${round(y(value))}`;
    const alone = !pen && (values[index + 1] ?? null) === null;
    path += pen ? `L${point}` : alone ? `M${point}h.01` : `M${point}`;
    pen = true;
  });
  return path;
}

/**
 * A sparkline that takes its colour from the text around it.
 *
 * SVG rather than canvas: it follows the theme, zoom and print by itself, where a canvas would need a redraw for each.
 */
export function spark(values: readonly (number | null)[]): SVGElement {
  const line = shape("path", { d: sparkPath(values, SPARK_WIDTH, SPARK_HEIGHT) });
  const viewBox = `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`;
  return shape("svg", { class: "ct-spark", viewBox, "aria-hidden": "true" }, line);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
