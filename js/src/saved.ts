import { assert } from "./assert.ts";
import type { Band, Content, Part, Points, SavedPanel, SavedSeries, Take } from "./contract.ts";
import type { Asked, Source } from "./source.ts";

const NO_KERNEL = "this is a saved output: run the cell again to ask the kernel";

/** A saved panel that holds nothing yet. */
export const NOTHING_SAVED: SavedPanel = {
  v: 1,
  kind: "chart",
  trail: "",
  title: "",
  view: null,
  runs: [],
  chart: null,
  table: null,
  series: [],
  omitted: 0,
  rows: [],
  hints: [],
  comparison: null,
  detail: null,
  media: null,
  evaluations: [],
  marks: [],
  flags: [],
  bands: [],
  groupings: [],
};

interface Columns {
  part: Part;
  step: Float64Array;
  seconds: Float32Array;
  value: Float32Array | Float64Array;
}

/** A panel's facts from a saved output. Options live as long as the page: nothing may dirty the notebook. */
export function savedSource<Options>(payload: SavedPanel, options: Options): Source<Options> {
  let kept = options;
  return {
    kind: "saved",
    payload: () => payload,
    changed() {},
    options: () => kept,
    keep(changed) {
      kept = changed;
    },
    follow(hear) {
      hear(...snapshot(payload));
    },
    news() {},
    faults() {},
    query: () => Promise.reject(new Error(NO_KERNEL)),
    compare: () => Promise.reject(new Error(NO_KERNEL)),
    window: () => Promise.reject(new Error(NO_KERNEL)),
    take: (asked) => savedItem(payload, asked),
    note: () => Promise.reject(new Error(NO_KERNEL)),
    ask: () => Promise.reject(new Error(NO_KERNEL)),
  };
}

/** An item of the few that a file has room for. */
async function savedItem({ media }: SavedPanel, { run, number }: Asked<Take>): Promise<[Content, Uint8Array]> {
  const found = media?.kept.find((one) => one.run === run && one.number === number);
  if (!found) throw new Error("this is in the trail, not in the saved output: run the cell again to see it");
  return [found.content, new Uint8Array(bytes(found.data))];
}

/** The saved series as the one message a live panel would have got. */
export function snapshot(payload: SavedPanel): [Points, Float64Array] {
  const columns = payload.series.map(decode);
  const data = new Float64Array(columns.reduce((sum, one) => sum + 3 * one.part.n, 0));
  let at = 0;
  for (const { step, seconds, value } of columns) {
    for (const column of [step, seconds, value]) {
      data.set(column, at);
      at += column.length;
    }
  }
  const parts = columns.map((one) => one.part);
  return [{ kind: "points", seq: 0, full: true, parts, runs: payload.runs }, data];
}

function decode(series: SavedSeries): Columns {
  const step = new Float64Array(bytes(series.step));
  const seconds = new Float32Array(bytes(series.seconds));
  const packed = bytes(series.value);
  const n = step.length;
  const value = new (packed.byteLength === 8 * n ? Float64Array : Float32Array)(packed);
  assert(seconds.length === n && value.length === n, `${series.metric} of ${series.run} has columns of unequal length`);
  return { part: { run: series.run, metric: series.metric, start: 0, n }, step, seconds, value };
}

/** Where earlier runs stood, as numbers, by metric. */
export function decodeBands(bands: readonly Band[]): Map<string, Record<"x" | "low" | "middle" | "high", number[]>> {
  const floats = (base64: string): number[] => [...new Float32Array(bytes(base64))];
  const decoded = ({ step, low, middle, high }: Band): Record<"x" | "low" | "middle" | "high", number[]> => ({
    x: [...new Float64Array(bytes(step))],
    low: floats(low),
    middle: floats(middle),
    high: floats(high),
  });
  return new Map(bands.map((band) => [band.metric, decoded(band)]));
}

/** What these characters stand for. */
export function bytes(base64: string): ArrayBuffer {
  const text = atob(base64);
  const buffer = new ArrayBuffer(text.length);
  const view = new Uint8Array(buffer);
  for (let i = 0; i < text.length; i++) view[i] = text.charCodeAt(i);
  return buffer;
}
