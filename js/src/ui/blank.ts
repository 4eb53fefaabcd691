import type { RunState } from "../contract.ts";
import { element, say } from "./element.ts";

/** Where there is nothing to draw, a sentence in the place where the plots will be. */
export class Blank {
  readonly el = element("div", { class: "blank tall" });

  show(states: readonly RunState[], some: boolean, live: boolean): void {
    const running = states.some((state) => state.status === "running");
    this.el.hidden = some;
    this.el.classList.toggle("tall", running && live);
    if (!some) say(this.el, nothing(states.length, running, live));
  }
}

function nothing(runs: number, running: boolean, live: boolean): string {
  if (runs === 0) return "no run yet";
  if (!running) return "no metric was logged";
  return live ? "waiting for the first point" : "no point had come when this was saved";
}
