import type { Drawn } from "../../contract.ts";
import { button } from "../controls.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";

const WAIT_MS = 200;

export interface DrawnRuns {
  el: HTMLElement;
  open(runs: readonly string[]): void;
  /** The selection changed: what is open follows it. */
  follow(runs: readonly string[]): void;
}

/** The place under the table where the curves of the selected runs are drawn, as long as it is open. */
export function drawnRuns(
  ask: (runs: string[]) => Promise<Drawn>,
  draw: (into: HTMLElement, drawn: Drawn, signal: AbortSignal) => void,
  back: () => void,
  signal: AbortSignal,
): DrawnRuns {
  const told = element("span", { class: "ct-muted", role: "status" });
  const heading = element("div", { class: "ct-subhead", tabindex: -1 }, "Curves of the selected runs");
  const plots = element("div");
  const el = element("div", { class: "ct-beside" });
  let shown = "";
  let turn = 0;
  let inside = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const close = (): void => {
    clearTimeout(timer);
    turn += 1;
    inside.abort();
    shown = "";
    el.replaceChildren();
    plots.replaceChildren();
    back();
  };
  const bar = element("div", { class: "ct-sub" }, heading, told, button("Close", "close the curves", close, signal));
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    inside.abort();
  });

  const load = async (runs: string[]): Promise<void> => {
    const mine = ++turn;
    say(told, "reading…");
    try {
      const drawn = await ask(runs);
      if (mine !== turn || signal.aborted) return;
      inside.abort();
      inside = new AbortController();
      plots.replaceChildren();
      draw(plots, drawn, inside.signal);
      const left = drawn.omitted > 0 ? `; ${count(drawn.omitted, "curve")} left out` : "";
      say(told, `${count(drawn.runs.length, "run")}${left}`);
    } catch (refusal) {
      if (mine === turn) say(told, refusal instanceof Error ? refusal.message : String(refusal));
    }
  };
  const turnTo = (runs: readonly string[], wait: number): void => {
    if (runs.join() === shown) return;
    shown = runs.join();
    clearTimeout(timer);
    if (runs.length > 0) timer = setTimeout(() => void load([...runs]), wait);
    else {
      turn += 1;
      inside.abort();
      plots.replaceChildren();
      say(told, "select runs to see their curves");
    }
  };
  return {
    el,
    open(runs) {
      el.replaceChildren(bar, plots);
      turnTo(runs, 0);
      heading.focus({ preventScroll: true });
      el.scrollIntoView({ block: "nearest" });
    },
    follow(runs) {
      if (el.childElementCount > 0) turnTo(runs, WAIT_MS);
    },
  };
}
