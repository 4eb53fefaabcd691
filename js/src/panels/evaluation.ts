import type { EvaluationOptions } from "../contract.ts";
import { widget } from "../kernel.ts";
import type { Mount } from "../source.ts";
import { evaluationStyles } from "../ui/evaluation/styles.ts";
import { EvaluationView } from "../ui/evaluation/view.ts";
import { panelRoot } from "../ui/root.ts";

export const EVALUATION: EvaluationOptions = { split: "", label: "", shares: false };

/** How good predictions were: metrics with intervals, confusion, curves and residuals, and the rows behind them. */
export const mount: Mount<EvaluationOptions> = (into, source, signal) => {
  const { el, themed } = panelRoot(into, evaluationStyles, "evaluation", signal);
  const view = new EvaluationView({
    shown: () => source.payload().evaluations ?? [], // saved panels may lack them
    options: () => ({ ...EVALUATION, ...source.options() }),
    keep: (options) => source.keep(options),
    pick: async (asked) => {
      const { content } = await source.ask({ kind: "pick", ...asked });
      if (!content) throw new Error("the kernel answered without rows");
      return content;
    },
    isSaved: source.kind === "saved",
  });
  el.append(view.el);
  themed((theme) => view.draw(theme));
  source.changed(() => view.draw(), signal);
};

export default widget(mount);
