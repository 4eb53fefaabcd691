import { element, say } from "../element.ts";

/** A slider over the steps that there are, with a button to either side. */
export class Steps {
  readonly #range = element("input", { type: "range", min: 0, step: 1, "aria-label": "step" });
  readonly #back = element("button", { type: "button", class: "ct-button", "aria-label": "step before" }, "‹");
  readonly #on = element("button", { type: "button", class: "ct-button", "aria-label": "next step" }, "›");
  readonly #said = element("output", { class: "ct-muted" });
  readonly el = element("span", { class: "steps" }, this.#back, this.#range, this.#on, this.#said);
  #steps: readonly number[] = [];

  constructor(private readonly chosen: (step: number) => void) {
    this.#range.addEventListener("input", () => this.#choose(Number(this.#range.value)));
    this.#back.addEventListener("click", () => this.#choose(Number(this.#range.value) - 1));
    this.#on.addEventListener("click", () => this.#choose(Number(this.#range.value) + 1));
  }

  /** By how much the slider is moved. */
  move(by: number): void {
    this.#choose(Number(this.#range.value) + by);
  }

  show(steps: readonly number[], step: number): void {
    this.#steps = steps;
    const at = Math.max(0, steps.indexOf(step));
    this.#range.max = String(Math.max(0, steps.length - 1));
    this.#range.value = String(at);
    this.#range.setAttribute("aria-valuetext", `step ${step}`);
    this.#back.disabled = at === 0;
    this.#on.disabled = at >= steps.length - 1;
    say(this.#said, `step ${step.toLocaleString("en-US")} (${at + 1} of ${steps.length})`);
    this.el.hidden = steps.length < 2;
  }

  #choose(at: number): void {
    const step = this.#steps[at];
    if (step !== undefined) this.chosen(step);
  }
}
