import type { Real, Scalar } from "../contract.ts";

/** What a cell says when there is nothing to say. */
export const NOTHING = "–";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** A `Real` as a number: the words become NaN and the infinities, "never logged" becomes undefined. */
export function toNumber(value: Real): number | undefined {
  if (value === null) return undefined;
  if (typeof value === "number") return value;
  return value === "nan" ? Number.NaN : value === "inf" ? Infinity : -Infinity;
}

/** A measured value: 4 significant digits, trailing zeros kept so that a column lines up. */
export function formatReal(value: Real): string {
  if (value === null) return NOTHING;
  return typeof value === "string" ? value : significant(value);
}

/** So many bytes, as people say it: 980 B, 2.5 MB, 320 MB. */
export function formatBytes(value: number): string {
  const size = Math.abs(value);
  const [unit, name] = (
    [
      [1e9, "GB"],
      [1e6, "MB"],
      [1e3, "kB"],
    ] as const
  ).find(([unit]) => size >= unit) ?? [1, "B"];
  return `${Number((value / unit).toPrecision(3))} ${name}`;
}

/** A number somebody typed: as short as it can be written, 4 significant digits at most when it is a fraction. */
export function formatTyped(value: number): string {
  const text = significant(value);
  return Number.isInteger(value) || !/[.]/.test(text) ? text : text.replace(/[.]?0+(?=e|$)/, "");
}

function significant(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return String(value);
  if (size < 1e-4 || size >= 1e5) return value.toExponential(3).replace("e+", "e");
  return size >= 1000 ? value.toFixed(0) : value.toPrecision(4);
}

/** A parameter or a fact, spelt as Python spells it, because Python is where the reader wrote it. */
export function formatScalar(value: Scalar): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? formatTyped(value) : value;
}

/** Seconds as a person says them: 340 ms, 1.2 s, 3 m 20 s, 2 h 5 m, 3 d 4 h. */
export function formatDuration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds) || seconds < 0) return NOTHING;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return pair(whole, MINUTE, "m", 1, "s");
  const minutes = Math.round(seconds / MINUTE) * MINUTE;
  if (minutes < DAY) return pair(minutes, HOUR, "h", MINUTE, "m");
  return pair(Math.round(seconds / HOUR) * HOUR, DAY, "d", HOUR, "h");
}

function pair(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const head = Math.floor(seconds / large);
  const tail = Math.floor((seconds % large) / small);
  return tail === 0 ? `${head} ${largeName}` : `${head} ${largeName} ${tail} ${smallName}`;
}

/** A moment seen from now: just now, 5 min ago, 3 h ago, 2 d ago, then the date. */
export function formatAgo(moment: number, now: number): string {
  const age = now - moment;
  if (Math.abs(age) < 45) return "just now";
  if (age > 0 && age < 59.5 * MINUTE) return `${Math.max(1, Math.round(age / MINUTE))} min ago`;
  if (age > 0 && age < 23.5 * HOUR) return `${Math.round(age / HOUR)} h ago`;
  if (age > 0 && age < 6.5 * DAY) return `${Math.round(age / DAY)} d ago`;
  const date = new Date(moment * 1000);
  const day = `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  return date.getFullYear() === new Date(now * 1000).getFullYear() ? day : `${day} ${date.getFullYear()}`;
}

/** The same moment in full, in the reader's own time zone. */
export function formatMoment(moment: number): string {
  const date = new Date(moment * 1000);
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** "1 run", "2 runs". */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
}
