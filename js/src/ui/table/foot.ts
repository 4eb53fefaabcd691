import { button } from "../controls.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";

export interface FootOwner {
  compares: boolean; // false where there is no kernel to ask
  compare(): void;
  clear(): void;
  copy(form: "tsv" | "markdown"): Promise<string>;
}

export interface Foot {
  el: HTMLElement;
  show(selected: number, hidden: number): void;
}

const NO_KERNEL = "comparing needs the kernel: run the cell again";

/** The line under the grid: what is selected and what can be done with it. It is always there, so nothing jumps. */
export function footLine(owner: FootOwner, signal: AbortSignal): Foot {
  const picked = element("span", { role: "status" });
  const compare = button("Compare", "", owner.compare, signal);
  compare.classList.add("ct-primary");
  const clear = button("Clear", "clear the selection", owner.clear, signal);
  const told = element("span", { class: "ct-muted", role: "status" });
  const copy = (form: "tsv" | "markdown") => (): void => {
    void owner.copy(form).then((sentence) => {
      if (!signal.aborted) say(told, sentence);
    });
  };
  const el = element(
    "div",
    { class: "ct-foot" },
    picked,
    compare,
    clear,
    element(
      "div",
      { class: "ct-copies" },
      told,
      button("Copy TSV", "copy the runs and columns shown, in full precision, for a spreadsheet", copy("tsv"), signal),
      button("Copy Markdown", "copy the runs and columns shown, as they read here", copy("markdown"), signal),
    ),
  );
  return {
    el,
    show(selected, hidden) {
      const unseen = hidden > 0 ? ` (${hidden} not shown)` : "";
      say(picked, selected === 0 ? "select runs to compare them" : `${count(selected, "run")} selected${unseen}`);
      picked.classList.toggle("ct-muted", selected < 2);
      compare.hidden = selected < 2;
      compare.disabled = !owner.compares;
      compare.title = owner.compares ? "what differs between them; the run selected first comes first" : NO_KERNEL;
      clear.hidden = selected === 0;
      say(compare, `Compare ${count(selected, "run")}`);
    },
  };
}
