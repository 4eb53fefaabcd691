export type Bend = "linear" | "log" | "symlog";

/** Decades on either side of zero that a symmetric logarithm shows; what is smaller is drawn as if linear. */
const DECADES = 1e4;

/** A way from values to a place between 0 and 1, and back. */
export interface Scale {
  readonly bend: Bend;
  readonly min: number;
  readonly max: number;
  place(value: number): number;
  value(place: number): number;
}

export function scale(bend: Bend, min: number, max: number): Scale {
  const [to, from] = bent(bend, threshold(min, max));
  const low = to(min);
  const span = to(max) - low || 1;
  return {
    bend,
    min,
    max,
    place: (value) => (to(value) - low) / span,
    value: (place) => from(low + place * span),
  };
}

/** Below this size a symmetric logarithm is as good as linear. */
export function threshold(min: number, max: number): number {
  return Math.max(Math.abs(min), Math.abs(max)) / DECADES || 1;
}

function bent(bend: Bend, near: number): [(value: number) => number, (place: number) => number] {
  if (bend === "log") return [Math.log10, (place) => 10 ** place];
  if (bend === "symlog") return [(value) => Math.asinh(value / near), (place) => Math.sinh(place) * near];
  return [(value) => value, (place) => place];
}
