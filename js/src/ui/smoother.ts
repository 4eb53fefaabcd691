import type { ChartOptions } from "../contract.ts";
import { element } from "./element.ts";
import { SMOOTHINGS } from "./plot/smooth.ts";

const WORDS = { none: "not smoothed", ema: "EMA", time: "EMA by distance", median: "running median" };

/** Which smoothing, and how strong. */
export class Smoother {
  readonly el: HTMLElement;
  readonly #kind = element(
    "select",
    { class: "ct-select", "aria-label": "smoothing" },
    ...SMOOTHINGS.map((how) => element("option", { value: how }, WORDS[how])),
  );
  readonly #weight = element("input", {
    type: "range",
    min: 0,
    max: 0.99,
    step: 0.01,
    "aria-label": "strength of smoothing",
  });

  constructor(chosen: (change: Partial<ChartOptions>) => void) {
    this.el = element("span", { class: "smoother" }, this.#kind, this.#weight);
    this.#kind.addEventListener("change", () => {
      const how = SMOOTHINGS.find((one) => one === this.#kind.value);
      if (how) chosen({ smooth: how });
    });
    this.#weight.addEventListener("input", () => chosen({ weight: Number(this.#weight.value) }));
  }

  show({ smooth, weight }: ChartOptions): void {
    this.#kind.value = smooth;
    this.#weight.hidden = smooth === "none";
    if (Number(this.#weight.value) !== weight) this.#weight.value = String(weight);
  }
}
