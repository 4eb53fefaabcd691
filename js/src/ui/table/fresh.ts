import { button } from "../controls.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";

/** "3 new runs": runs that came since stay out of the table until somebody wants them, so that no row jumps. */
export function freshRuns(show: () => void, signal: AbortSignal): { el: HTMLElement; say(runs: number): void } {
  const more = button("", "show them too", show, signal);
  const el = element("span", { class: "ct-fresh", role: "status" }, more);
  el.hidden = true;
  return {
    el,
    say(runs) {
      el.hidden = runs === 0;
      say(more, `${count(runs, "new run")}`);
    },
  };
}
