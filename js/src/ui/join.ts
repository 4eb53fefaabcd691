import type { Column, Mark } from "./columns.ts";

export type X = "step" | "time";
/** For uPlot: null is a gap, undefined is "this series has nothing at this x". */
export type Cell = number | null | undefined;

export interface Joined {
  x: number[];
  y: Cell[][];
  /** x of the values no line can show, per series. */
  marks: number[][];
  /** Values left out because the axis is logarithmic, per series. */
  unshown: number[];
}

interface Line {
  x: number[];
  y: (number | null)[];
}

/**
 * Several series on one ascending x, as uPlot wants it. Equal x of one series stay as many rows: a step logged twice
 * is drawn twice. Values that are not finite, and on a logarithmic axis those not above zero, break the line.
 */
export function join(columns: readonly Column[], by: X, log: boolean): Joined {
  const joined: Joined = { x: [], y: columns.map(() => []), marks: [], unshown: [] };
  const lines = columns.map((column) => {
    const { line, marks, unshown } = draw(column, by, log);
    joined.marks.push(marks);
    joined.unshown.push(unshown);
    return line;
  });
  const at = lines.map(() => 0);
  for (;;) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < lines.length; i++) {
      const x = lines[i]?.x[at[i] ?? 0];
      if (x !== undefined && x < least) least = x;
    }
    if (least === Number.POSITIVE_INFINITY) return joined;
    joined.x.push(least);
    for (let i = 0; i < lines.length; i++) {
      const here = at[i] ?? 0;
      const line = lines[i];
      if (line?.x[here] === least) {
        joined.y[i]?.push(line.y[here]);
        at[i] = here + 1;
      } else joined.y[i]?.push(undefined);
    }
  }
}

function draw(column: Column, by: X, log: boolean): { line: Line; marks: number[]; unshown: number } {
  const { step, seconds, value } = column.drawn();
  const position = (mark: Mark): number => (by === "step" ? mark.step : mark.seconds);
  const marks = column.marks.map(position).filter(Number.isFinite);
  const x = by === "step" ? step : seconds;
  const y: (number | null)[] = value;
  let unshown = 0;
  if (log) {
    for (let i = 0; i < y.length; i++) {
      if ((value[i] ?? 1) > 0) continue;
      marks.push(x[i] ?? 0);
      y[i] = null;
      unshown++;
    }
  }
  for (const mark of column.marks) {
    x.push(position(mark));
    y.push(null);
  }
  return { line: ascending(x, y), marks, unshown };
}

function ascending(x: number[], y: (number | null)[]): Line {
  let sorted = true;
  for (let i = 0; i < x.length && sorted; i++) {
    sorted = Number.isFinite(x[i]) && (i === 0 || (x[i - 1] ?? 0) <= (x[i] ?? 0));
  }
  if (sorted) return { x, y };
  const order = x.map((_, i) => i).filter((i) => Number.isFinite(x[i]));
  order.sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0));
  return { x: order.map((i) => x[i] ?? 0), y: order.map((i) => y[i] ?? null) };
}
