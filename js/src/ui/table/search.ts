import type { Proposal } from "../../contract.ts";
import { element } from "../element.ts";
import { completion } from "./completion.ts";
import { isExpression } from "./filter.ts";

const WAIT_MS = 250;
const NO_KERNEL = "an expression needs the kernel; plain words work here";

export interface SearchOwner<Found> {
  start: string;
  /** Asks the kernel; null where there is none. */
  ask: ((where: string) => Promise<Found>) | null;
  /** What may be written next; null where there is no kernel. */
  complete: ((text: string, cursor: number) => Promise<Proposal[]>) | null;
  /** The text changed; plain words, or "" while an expression is under way. */
  words(text: string, typed: string): void;
  /** The kernel found these. */
  found(found: Found, typed: string): void;
  /** Down or Esc: on to the grid. */
  leave(): void;
}

export interface Search {
  el: HTMLElement;
  input: HTMLInputElement;
  /** Asks again when the facts changed under an expression. */
  again(): void;
  /** Puts this filter in the place of what is there. */
  write(text: string): void;
}

/** The filter box: plain words are looked up at once, an expression goes to the kernel when typing pauses. */
export function searchBox<Found>(owner: SearchOwner<Found>, signal: AbortSignal): Search {
  const input = element("input", {
    class: "ct-filter",
    type: "text",
    role: owner.complete ? "combobox" : "searchbox",
    placeholder: owner.ask ? "filter: words, or params.lr < 0.01" : "filter: words",
    "aria-label": "filter runs",
    "aria-describedby": "ct-fault",
    autocomplete: "off",
    spellcheck: "false",
  });
  const fault = element("pre", { class: "ct-fault", id: "ct-fault", role: "status" });
  const el = element("div", { class: "ct-search" }, input, fault);
  input.value = owner.start;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;

  const say = (sentence: string, wrong: boolean): void => {
    fault.textContent = sentence;
    fault.classList.toggle("ct-error", wrong);
    input.setAttribute("aria-invalid", String(wrong));
  };
  const ask = async (typed: string): Promise<void> => {
    if (!owner.ask) return;
    const mine = ++turn;
    el.setAttribute("aria-busy", "true");
    try {
      const found = await owner.ask(typed);
      if (mine !== turn || signal.aborted) return;
      say("", false);
      owner.found(found, typed);
    } catch (refusal) {
      if (mine === turn) say(refusal instanceof Error ? refusal.message : String(refusal), true);
    } finally {
      if (mine === turn) el.removeAttribute("aria-busy");
    }
  };
  const read = (wait: number): void => {
    clearTimeout(timer);
    turn += 1;
    el.removeAttribute("aria-busy");
    const typed = input.value.trim();
    if (!isExpression(typed)) {
      say("", false);
      owner.words(typed, typed);
    } else if (owner.ask) timer = setTimeout(() => void ask(typed), wait);
    else say(NO_KERNEL, false);
  };

  const list = owner.complete ? completion(input, owner.complete, () => read(WAIT_MS), signal) : null;
  input.addEventListener(
    "input",
    () => {
      read(WAIT_MS);
      list?.typed();
    },
    { signal },
  );
  input.addEventListener(
    "keydown",
    (event) => {
      if (list?.key(event)) {
        event.preventDefault();
        event.stopPropagation();
        return;
      }
      if (event.key === "Enter") {
        list?.close();
        read(0);
      }
      if (event.key === "ArrowDown" || event.key === "Escape") {
        // Esc goes back to the grid first; from there it leaves the panel.
        event.preventDefault();
        event.stopPropagation();
        owner.leave();
      }
    },
    { signal },
  );
  signal.addEventListener("abort", () => clearTimeout(timer));
  if (input.value) read(0);
  return {
    el,
    input,
    again: () => {
      if (isExpression(input.value)) read(WAIT_MS);
    },
    write(text) {
      input.value = text;
      read(0);
    },
  };
}
