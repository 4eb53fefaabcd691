import { button } from "../controls.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";

export interface FootOwner {
  compares: boolean; // false where there is no kernel to ask
  compare(): void;
  /** Draws the curves of the selected runs. */
  draw(): void;
  clear(): void;
  /** The forms in which the table can be copied, asked for at the button that opens. */
  copy(anchor: HTMLElement): void;
  /** What can be changed of the selected runs, asked for at the button that opens. */
  change(anchor: HTMLElement): void;
}

export interface Foot {
  el: HTMLElement;
  show(selected: number, hidden: number): void;
  /** What was done, or why it was not; with the way back where there is one. */
  say(sentence: string, wrong: boolean, undo: (() => void) | null): void;
}

const NO_KERNEL = "comparing needs the kernel: run the cell again";

/** The line under the grid: what is selected and what can be done with it. It is always there, so nothing jumps. */
export function footLine(owner: FootOwner, signal: AbortSignal): Foot {
  const picked = element("span", { role: "status" });
  const compare = button("Compare", "", owner.compare, signal);
  compare.classList.add("ct-primary");
  const clear = button("Clear", "clear the selection", owner.clear, signal);
  const draw = button("Chart", "the curves of the selected runs; they follow the selection", owner.draw, signal);
  const change = button("Change…", "tags, notes, archive, delete", () => owner.change(change), signal);
  change.setAttribute("aria-haspopup", "menu");
  const told = element("span", { class: "ct-muted", role: "status" });
  let back: (() => void) | null = null;
  const undo = button("Undo", "take the last change back (u)", () => back?.(), signal);
  const speak: Foot["say"] = (sentence, wrong, way) => {
    say(told, sentence);
    told.classList.toggle("ct-error", wrong);
    back = way;
    undo.hidden = way === null;
  };
  speak("", false, null);
  const copy = button("Copy…", "copy the runs and columns shown", () => owner.copy(copy), signal);
  copy.setAttribute("aria-haspopup", "menu");
  const el = element(
    "div",
    { class: "ct-foot" },
    picked,
    compare,
    draw,
    change,
    clear,
    told,
    undo,
    element("div", { class: "ct-copies" }, copy),
  );
  return {
    el,
    say: speak,
    show(selected, hidden) {
      const unseen = hidden > 0 ? ` (${hidden} not shown)` : "";
      say(picked, selected === 0 ? "select runs to compare them" : `${count(selected, "run")} selected${unseen}`);
      picked.classList.toggle("ct-muted", selected < 2);
      compare.hidden = selected < 2;
      compare.disabled = !owner.compares;
      compare.title = owner.compares ? "what differs between them; the run selected first comes first" : NO_KERNEL;
      clear.hidden = selected === 0;
      change.hidden = selected === 0;
      draw.hidden = selected === 0;
      draw.disabled = !owner.compares;
      say(compare, `Compare ${count(selected, "run")}`);
    },
  };
}
