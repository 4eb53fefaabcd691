import type { Proposal } from "../../contract.ts";
import { element } from "../element.ts";
import { count } from "../format.ts";
import { place } from "../popup.ts";

const WAIT_MS = 90;
const ID = "ct-proposals";

export const completionStyles = `
.ct-proposals { font: 12px/1.4 var(--ct-mono); margin: 0; max-height: 240px; min-width: 220px; padding: 4px; }
.ct-proposal { border-radius: 4px; cursor: pointer; display: flex; gap: 18px; justify-content: space-between; padding: 3px 8px; }
.ct-proposal[aria-selected="true"], .ct-proposal:hover { background: var(--ct-hover); }
.ct-proposal small { color: var(--ct-muted); font: 11px var(--jp-ui-font-family, system-ui, sans-serif); }
`;

export interface Completion {
  /** The text changed: ask what may follow. */
  typed(): void;
  close(): void;
  /** True when the key was for the list. */
  key(event: KeyboardEvent): boolean;
}

/**
 * What may be written next, under the box. Down and Up choose, Tab takes the first or the chosen one, Enter the
 * chosen one only, so that a filter that is complete is never changed by Enter.
 */
export function completion(
  input: HTMLInputElement,
  ask: (text: string, cursor: number) => Promise<Proposal[]>,
  changed: () => void,
  signal: AbortSignal,
): Completion {
  const list = element("div", {
    class: "ct-popup ct-proposals",
    id: ID,
    role: "listbox",
    "aria-label": "what may be written next",
    popover: "manual",
  });
  let proposals: Proposal[] = [];
  let chosen = -1;
  let turn = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const close = (): void => {
    clearTimeout(timer);
    turn += 1;
    proposals = [];
    list.remove();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (at: number): void => {
    chosen = (at + proposals.length) % proposals.length;
    [...list.children].forEach((item, index) => {
      item.setAttribute("aria-selected", String(index === chosen));
      if (index === chosen) item.scrollIntoView({ block: "nearest" });
    });
    input.setAttribute("aria-activedescendant", `${ID}-${chosen}`);
  };
  const take = (at: number): void => {
    const proposal = proposals[at];
    if (!proposal) return;
    const { start, end, text } = proposal;
    input.setRangeText(text, start, end, "end");
    close();
    input.focus();
    changed();
  };
  const open = (found: Proposal[]): void => {
    proposals = found;
    chosen = -1;
    if (found.length === 0) {
      close();
      return;
    }
    const items = found.map(({ text, kind, runs }, at) => {
      const told = runs === null ? kind : `${kind}, ${count(runs, "run")}`;
      const item = element(
        "div",
        { class: "ct-proposal", id: `${ID}-${at}`, role: "option" },
        text,
        element("small", {}, told),
      );
      // Not click: the box must not lose the focus.
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(at);
      });
      return item;
    });
    list.replaceChildren(...items);
    if (!list.isConnected) {
      input.parentElement?.append(list);
      list.showPopover?.();
    }
    place(list, input);
    input.setAttribute("aria-expanded", "true");
  };

  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", ID);
  input.setAttribute("aria-expanded", "false");
  input.addEventListener("blur", close, { signal });
  signal.addEventListener("abort", close);
  return {
    close,
    typed() {
      clearTimeout(timer);
      const mine = ++turn;
      if (!input.value.trim()) {
        close();
        return;
      }
      timer = setTimeout(() => {
        const cursor = input.selectionStart ?? input.value.length;
        ask(input.value, cursor).then(
          (found) => mine === turn && !signal.aborted && open(found),
          () => mine === turn && close(),
        );
      }, WAIT_MS);
    },
    key(event) {
      if (proposals.length === 0) return false;
      if (event.key === "ArrowDown") choose(chosen + 1);
      else if (event.key === "ArrowUp") choose(chosen < 0 ? proposals.length - 1 : chosen - 1);
      else if (event.key === "Tab" && !event.shiftKey) take(Math.max(0, chosen));
      else if (event.key === "Enter" && chosen >= 0) take(chosen);
      else if (event.key === "Escape") close();
      else return false;
      return true;
    },
  };
}
