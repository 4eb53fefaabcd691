import type { Comparison } from "../../contract.ts";
import { comparisonView } from "../compare/view.ts";
import { button } from "../controls.ts";
import { element } from "../element.ts";
import { count } from "../format.ts";

export interface Beside {
  el: HTMLElement;
  open(runs: string[]): Promise<void>;
}

/** The place under the table where a comparison opens and closes again. */
export function besideTable(
  ask: (runs: string[]) => Promise<Comparison>,
  back: () => void,
  signal: AbortSignal,
): Beside {
  const el = element("div", { class: "ct-beside" });
  let turn = 0;
  let inside = new AbortController();

  const close = (): void => {
    turn += 1;
    inside.abort();
    el.replaceChildren();
    back();
  };
  signal.addEventListener("abort", () => inside.abort());
  return {
    el,
    async open(runs) {
      const mine = ++turn;
      inside.abort();
      inside = new AbortController();
      const heading = element(
        "div",
        { class: "ct-subhead", tabindex: -1 },
        `Comparison of ${count(runs.length, "run")}`,
      );
      const content = element("div", {}, element("p", { class: "ct-muted", role: "status" }, "comparing…"));
      el.replaceChildren(
        element("div", { class: "ct-sub" }, heading, button("Close", "close the comparison", close, inside.signal)),
        content,
      );
      try {
        const comparison = await ask(runs);
        if (mine !== turn || signal.aborted) return;
        content.replaceChildren(comparisonView(comparison, inside.signal));
        heading.focus({ preventScroll: true });
        el.scrollIntoView({ block: "nearest" });
      } catch (refusal) {
        if (mine !== turn) return;
        const sentence = refusal instanceof Error ? refusal.message : String(refusal);
        content.replaceChildren(element("pre", { class: "ct-refusal", role: "alert" }, sentence));
      }
    },
  };
}
