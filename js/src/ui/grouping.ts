import type { ChartOptions, Grouping } from "../contract.ts";
import { element } from "./element.ts";

const SPREADS = { interval: "mean, 95 % interval", range: "mean, min to max" };

/** Which runs are one line, and what of them is shown around it. */
export class GroupChoice {
  readonly #by = element("select", { class: "ct-select", "aria-label": "group runs by" });
  readonly #spread = element(
    "select",
    { class: "ct-select", "aria-label": "band of a group" },
    ...Object.entries(SPREADS).map(([value, words]) => element("option", { value }, words)),
  );
  readonly el = element("span", { class: "smoother" }, this.#by, this.#spread);
  #told = "";

  constructor(chosen: (change: Partial<ChartOptions>) => void) {
    this.#by.addEventListener("change", () => chosen({ group: this.#by.value }));
    this.#spread.addEventListener("change", () =>
      chosen({ spread: this.#spread.value === "range" ? "range" : "interval" }),
    );
  }

  show({ group, spread }: ChartOptions, groupings: readonly Grouping[]): void {
    this.el.hidden = groupings.length === 0;
    const names = groupings.map(({ by }) => by);
    if (names.join("\n") !== this.#told) {
      this.#told = names.join("\n");
      const options = names.map((name) => element("option", { value: name }, `by ${name}`));
      this.#by.replaceChildren(element("option", { value: "" }, "each run"), ...options);
    }
    this.#by.value = names.includes(group) ? group : "";
    this.#spread.value = spread;
    this.#spread.hidden = this.#by.value === "";
  }
}

/** The group of each run, where this grouping is there and chosen. */
export function poolsOf(group: string, groupings: readonly Grouping[]): ReadonlyMap<string, string> | null {
  const found = groupings.find(({ by }) => by === group);
  return found ? new Map(Object.entries(found.of)) : null;
}
