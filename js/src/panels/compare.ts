import { widget } from "../kernel.ts";
import type { Mount } from "../source.ts";
import { comparisonStyles } from "../ui/compare/styles.ts";
import { comparisonView } from "../ui/compare/view.ts";
import { controlStyles } from "../ui/controls.ts";
import { element } from "../ui/element.ts";
import { panelRoot } from "../ui/root.ts";

/** Nothing of how a comparison is shown is kept. */
export type CompareOptions = Record<string, never>;

/** A comparison of runs; the run table opens the same view below itself. */
export const mount: Mount<CompareOptions> = (into, source, signal) => {
  const { el } = panelRoot(into, controlStyles + comparisonStyles, "compare", signal);
  let inside = new AbortController();
  const draw = (): void => {
    inside.abort();
    inside = new AbortController();
    const { comparison, hints } = source.payload();
    el.replaceChildren(
      ...hints.map((hint) => element("p", { class: "ct-muted" }, hint)),
      comparison
        ? comparisonView(comparison, inside.signal)
        : element("p", { class: "ct-muted" }, "nothing to compare: name two runs"),
    );
  };
  signal.addEventListener("abort", () => inside.abort());
  source.changed(draw, signal);
  draw();
};

export default widget(mount);
