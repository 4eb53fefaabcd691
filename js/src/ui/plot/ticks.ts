import { type Bend, type Scale, threshold } from "./scale.ts";

/** Steps, seconds since the start, seconds since the epoch, or any numbers. */
export type X = "step" | "relative" | "time" | "number";

/** A value that an axis names. */
export interface Tick {
  value: number;
  word: string;
}

const DAY = 86_400;
const X_SPACE = 46; // px
const Y_SPACE = 26;
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, DAY];
const DECIMALS = [-15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1].flatMap(decade);
const WHOLE = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].flatMap(decade);

function decade(power: number): number[] {
  return [1, 2, 5].map((mantissa) => Number(`${mantissa}e${power}`));
}

/** The distances an x axis may have between ticks: whole steps unless the window is inside one step. */
export function xIncrements(by: X, width: number): number[] {
  if (width < 1) return DECIMALS;
  if (by === "number") return [...DECIMALS, ...WHOLE];
  return by === "step" ? WHOLE : [...SECONDS, ...WHOLE.filter((days) => days > 1).map((days) => days * DAY)];
}

/** The ticks of an x axis so many pixels wide. */
export function xTicks(by: X, min: number, max: number, width: number): Tick[] {
  const most = Math.max(2, Math.floor(width / X_SPACE));
  const increments = xIncrements(by, max - min);
  const increment = increments.find((one) => (max - min) / one <= most) ?? max - min;
  if (by === "time") return clockTicks(min, max, increment);
  return steps(min, max, increment).map((value) => ({ value, word: xTick(by, value, increment) }));
}

/** The ticks of a y axis so many pixels high. */
export function yTicks(up: Scale, height: number): Tick[] {
  const { bend, min, max } = up;
  if (bend === "log") return logTicks(min, max).map((value) => ({ value, word: logTick(value) }));
  if (bend === "symlog") return symlogTicks(min, max).map((value) => ({ value, word: logTick(value) }));
  const rough = (max - min) / Math.max(1, Math.floor(height / Y_SPACE));
  const size = 10 ** Math.floor(Math.log10(rough));
  const increment = [1, 2, 2.5, 5, 10].map((mantissa) => mantissa * size).find((one) => one >= rough) ?? rough;
  return steps(min, max, increment).map((value) => ({ value, word: yTick(value, increment) }));
}

function steps(min: number, max: number, increment: number): number[] {
  const ticks: number[] = [];
  const first = Math.ceil(min / increment - 1e-9);
  for (let i = first; i * increment <= max + increment * 1e-9 && ticks.length < 50; i++) {
    ticks.push(Number((i * increment).toPrecision(15)) + 0);
  }
  return ticks;
}

/** Zero, and powers of ten on either side of it. */
export function symlogTicks(min: number, max: number): number[] {
  const near = 10 ** Math.ceil(Math.log10(threshold(min, max)) + 1);
  const side = (end: number): number[] => {
    const ticks: number[] = [];
    for (let power = near; power <= end * (1 + 1e-9); power *= 10) ticks.push(Number(power.toPrecision(3)));
    return ticks.filter((_, i) => (ticks.length - 1 - i) % (ticks.length > 3 ? 2 : 1) === 0);
  };
  const ticks = [...side(-min).map((value) => -value), 0, ...side(max)];
  return ticks.filter((value) => value >= min && value <= max).sort((a, b) => a - b);
}

/** Round times of day where the reader is. */
function clockTicks(min: number, max: number, increment: number): Tick[] {
  const offset = -60 * new Date(min * 1000).getTimezoneOffset();
  return steps(min + offset, max + offset, increment).map((local) => {
    const value = local - offset;
    return { value, word: increment >= DAY ? day(value) : clock(value, increment < 60, increment) };
  });
}

/** A time of day: 14:05, or 14:05:09. */
export function clock(moment: number, seconds: boolean, increment = 1): string {
  const date = new Date(moment * 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const rest = date.getSeconds() + date.getMilliseconds() / 1000;
  if (increment < 1) return `:${plain(rest, increment).padStart(2, "0")}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}${seconds ? `:${two(date.getSeconds())}` : ""}`;
}

function day(moment: number): string {
  return new Date(moment * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

/** A tick of the x axis: 250, 12k, 1.5M; 45s, 1:30, 12m, 3h, 2d. */
export function xTick(by: X, value: number, increment: number): string {
  if (by === "relative" && increment >= 1) return timeTick(value, increment);
  if (increment < 1) return plain(value, increment);
  for (const [unit, name] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (Math.abs(value) >= 10 * unit && increment >= unit / 100) return `${Number((value / unit).toFixed(2))}${name}`;
  }
  return String(Math.round(value));
}

function timeTick(value: number, increment: number): string {
  const whole = Math.round(value);
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60);
  if (whole === 0) return "0";
  if (increment >= DAY) return `${whole / DAY}d`;
  if (increment >= 3600) return `${hours}h`;
  if (increment >= 60) return hours > 0 ? `${hours}h${two(minutes % 60)}` : `${minutes}m`;
  if (whole < 60) return `${whole}s`;
  return hours > 0 ? `${hours}:${two(minutes % 60)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A tick of a y axis, short enough for the space that is kept for it. */
export function yTick(value: number, increment: number): string {
  if (value === 0) return "0";
  return short(value) ?? plain(value, increment);
}

/** A tick of a logarithmic axis: its neighbours are far away, so it needs no more digits than it has. */
export function logTick(value: number): string {
  if (value === 0) return "0";
  return short(value) ?? String(Number(value.toPrecision(3)));
}

function short(value: number): string | undefined {
  const size = Math.abs(value);
  if (size < 1e5 && size >= 1e-3) return undefined;
  return Number(value.toPrecision(3)).toExponential().replace("e+", "e");
}

function plain(value: number, increment: number): string {
  let digits = 0;
  // As many digits as the increment itself has: 0.25 has two.
  while (digits < 12 && Math.abs(increment - Number(increment.toFixed(digits))) > increment * 1e-6) digits++;
  return value.toFixed(digits);
}

/** The range of a y axis with some air around the values; never empty, whatever it is given. */
export function yRange(min: number, max: number, bend: Bend): [number, number] {
  const none = !Number.isFinite(min) || !Number.isFinite(max) || min > max;
  if (none) return bend === "log" ? [0.1, 1] : [0, 1];
  if (bend === "log") {
    const air = max > min ? (max / min) ** 0.05 : 1.5;
    return [min / air, max * air];
  }
  if (bend === "symlog" && max > min) return [min - Math.abs(min) * 0.3, max + Math.abs(max) * 0.3];
  const air = max > min ? (max - min) * 0.06 : Math.abs(max) * 0.1 || 1;
  // What never goes below zero is not drawn as if it might.
  return [min >= 0 && min - air < 0 ? 0 : min - air, max + air];
}

/** Ticks of a logarithmic axis: whole decades when there are several, finer ones within a decade or two. */
export function logTicks(min: number, max: number): number[] {
  const low = Math.floor(Math.log10(min));
  const high = Math.ceil(Math.log10(max));
  const decades = Math.log10(max / min);
  if (!Number.isFinite(decades) || decades <= 0) return [];
  const inside = (values: number[]): number[] => values.filter((value) => value >= min && value <= max);
  const powers = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  if (decades >= 3) {
    const stride = Math.ceil(decades / 6);
    return inside(powers.filter((power) => power % stride === 0).map((power) => Number(`1e${power}`)));
  }
  const mantissas = decades >= 1.5 ? [1, 3] : decades >= 0.6 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
  const fine = inside(powers.flatMap((power) => mantissas.map((mantissa) => Number(`${mantissa}e${power}`))));
  return fine.length >= 2 ? fine : even(min, max);
}

/** For a window too narrow for round mantissas: evenly spaced round values. */
function even(min: number, max: number): number[] {
  const rough = (max - min) / 4;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((mantissa) => mantissa * size).find((candidate) => candidate >= rough) ?? rough;
  const ticks: number[] = [];
  for (let i = Math.ceil(min / step); i * step <= max; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}
