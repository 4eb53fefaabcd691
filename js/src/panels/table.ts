import type { TableOptions } from "../contract.ts";
import { widget } from "../kernel.ts";
import type { Mount } from "../source.ts";
import { comparisonStyles } from "../ui/compare/styles.ts";
import { controlStyles } from "../ui/controls.ts";
import { popupStyles } from "../ui/popup.ts";
import { panelRoot } from "../ui/root.ts";
import { completionStyles } from "../ui/table/completion.ts";
import { RunTable } from "../ui/table/runtable.ts";
import { tableStyles } from "../ui/table/styles.ts";
import { curvesBelow } from "./tablecurves.ts";

export { UNTOUCHED as TABLE } from "../ui/table/options.ts";

/** The run table: filter, sort, group, arrange, select, copy, compare. */
export const mount: Mount<TableOptions> = (into, source, signal) => {
  const styles = controlStyles + popupStyles + completionStyles + tableStyles + comparisonStyles;
  const { el } = panelRoot(into, styles, "table", signal);
  new RunTable(el, source, (back) => curvesBelow(source, back, signal), signal);
};

export default widget(mount);
