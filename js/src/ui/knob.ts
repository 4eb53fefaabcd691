import type { Knob } from "../contract.ts";
import { element, say } from "./element.ts";
import { formatTyped } from "./format.ts";

const STEPS = 200; // of a slider
const WIDE = 50; // from low to high as a factor: such a knob is turned on a logarithmic scale

/** A number that can be changed: a box, and a slider where it has both bounds. */
export class KnobControl {
  readonly el = element("span", { class: "knob" });
  readonly #box: HTMLInputElement;
  readonly #slider: HTMLInputElement | undefined;
  readonly #said = element("span", { class: "ct-muted" });
  #knob: Knob;

  constructor(knob: Knob, turn: (value: number) => void, signal: AbortSignal) {
    this.#knob = knob;
    const { name, low, high } = knob;
    this.#box = element("input", {
      type: "number",
      class: "find",
      "aria-label": name,
      step: "any",
      min: low,
      max: high,
    });
    this.#box.addEventListener("change", () => this.#box.value !== "" && turn(this.#box.valueAsNumber), { signal });
    this.el.append(name);
    if (low !== null && high !== null && low < high) {
      this.#slider = element("input", { type: "range", "aria-label": `${name}, slider`, min: 0, max: STEPS, step: 1 });
      this.#slider.addEventListener("input", () => this.#write(this.#at), { signal });
      this.#slider.addEventListener("change", () => turn(this.#at), { signal });
      this.el.append(this.#slider);
    }
    this.el.append(this.#box, this.#said);
  }

  show(knob: Knob): void {
    const [before, now] = [this.#knob, knob].map(({ value, wanted }) => wanted ?? value);
    const fresh = before !== now || this.#box.value === "";
    this.#knob = knob;
    say(this.#said, knob.wanted === null ? "" : "when the cell asks for it");
    if (!fresh || now === undefined) return;
    this.#write(now);
    if (this.#slider) this.#slider.value = String(Math.round(STEPS * shareOf(knob, now)));
  }

  get #at(): number {
    const found = valueAt(this.#knob, Number(this.#slider?.value) / STEPS);
    return this.#knob.whole ? Math.round(found) : Number(formatTyped(found));
  }

  #write(value: number): void {
    this.#box.value = formatTyped(value);
  }
}

function isWide({ low, high }: Knob): boolean {
  return low !== null && high !== null && low > 0 && high / low >= WIDE;
}

/** Where on its slider a value stands, from 0 to 1. */
export function shareOf(knob: Knob, value: number): number {
  const [low, high] = [knob.low ?? 0, knob.high ?? 1];
  return isWide(knob) ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

/** The value at a place of its slider. */
export function valueAt(knob: Knob, share: number): number {
  const [low, high] = [knob.low ?? 0, knob.high ?? 1];
  return isWide(knob) ? low * (high / low) ** share : low + share * (high - low);
}
