import type { TableOptions } from "../../contract.ts";
import { button, checkbox } from "../controls.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";
import { type Offer, openMenu } from "../menu.ts";
import { openChooser } from "./chooser.ts";
import { BUT_SEEDS, groupingColumns } from "./grouping.ts";
import type { TableModel } from "./model.ts";
import { FIXED, flipped, onlyDiffering } from "./options.ts";
import type { Views } from "./views.ts";

const MOST_OFFERS = 24;

export interface Tools {
  el: HTMLElement;
  show(columns: number): void;
}

/** The buttons beside the filter: which columns, which groups. */
export function toolBar(
  model: TableModel,
  keep: (change: Partial<TableOptions>) => void,
  saved: Pick<Views, "why" | "menu">,
  signal: AbortSignal,
): Tools {
  const differing = checkbox("only differing", (on) => keep({ differing: on }), signal);
  const columns = button("Columns", "which columns are shown", () => choose(), signal);
  const groups = button("Group", "put runs that are alike under one row", () => group(), signal);
  const views = button("Views", saved.why || "questions that got a name", () => void saved.menu(views), signal);
  views.disabled = saved.why !== "";
  for (const opener of [columns, groups, views]) opener.setAttribute("aria-haspopup", "true");
  const choose = (): void => {
    const owner = { options: () => model.options, columns: model.columns, constant: model.constant, keep };
    openChooser(columns, owner, signal);
  };
  const group = (): void => openMenu(groups, "group by", groupOffers(model, keep), signal);
  const el = element("div", { class: "ct-tools" }, differing.el, columns, groups, views);
  return {
    el,
    show(shown) {
      const total = model.columns.length - FIXED.length;
      const of = `${shown - FIXED.length} of ${count(total, "column")} shown`;
      differing.box.checked = onlyDiffering(model.options, model.columns);
      differing.el.hidden = model.rows.length < 2;
      differing.el.title = of;
      columns.title = `which columns are shown: ${of}`;
      const by = groupingColumns(model.options.group, model.columns, model.constant);
      const named = by.length > 2 ? count(by.length, "column") : by.map((column) => column.title).join(", ");
      say(groups, model.options.group.length === 0 ? "Group" : `Grouped by ${named || "nothing"}`);
    },
  };
}

function groupOffers(model: TableModel, keep: (change: Partial<TableOptions>) => void): Offer[] {
  const { group } = model.options;
  const by = (id: string, words: string): Offer => ({
    words,
    on: group.includes(id),
    act: () => keep({ group: flipped(group, id), folded: [] }),
  });
  const kinds = ["status", "tags", "fact", "param"];
  const telling = model.columns.filter((column) => kinds.includes(column.kind) && !model.constant.has(column.id));
  const offers = [
    by(BUT_SEEDS, "all parameters but seeds"),
    null,
    ...telling.slice(0, MOST_OFFERS).map((column) => by(column.id, column.title)),
  ];
  if (group.length > 0) offers.push(null, { words: "No groups", act: () => keep({ group: [], folded: [] }) });
  return offers;
}
