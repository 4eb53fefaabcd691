import type { TableOptions } from "../../contract.ts";
import { button, checkbox } from "../controls.ts";
import { element } from "../element.ts";
import { openPopup } from "../popup.ts";
import type { Column } from "./columns.ts";
import { arranged, FIXED, onlyDiffering, showColumn } from "./options.ts";

const MOST = 200; // boxes at once; the search reaches the others

export interface ChooserOwner {
  options(): TableOptions;
  columns: readonly Column[];
  constant: ReadonlySet<string>;
  keep(change: Partial<TableOptions>): void;
}

/** The list of all columns with a search: which are shown. */
export function openChooser(anchor: HTMLElement, owner: ChooserOwner, signal: AbortSignal): void {
  const content = (signal: AbortSignal): HTMLElement[] => {
    const search = element("input", {
      class: "ct-filter",
      type: "search",
      placeholder: "find a column",
      "aria-label": "find a column",
      autocomplete: "off",
      spellcheck: "false",
    });
    const list = element("div", { class: "ct-choices", role: "group", "aria-label": "columns shown" });
    const told = element("p", { class: "ct-muted ct-told", role: "status" });
    const choices = owner.columns.filter((column) => !FIXED.includes(column.id));
    const shown = (): Set<string> =>
      new Set(
        arranged(owner.columns, owner.options(), owner.constant, choices.length).columns.map((column) => column.id),
      );

    const draw = (): void => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const fitting = choices.filter((column) => words.every((word) => nameOf(column).toLowerCase().includes(word)));
      const on = shown();
      const boxes = fitting.slice(0, MOST).map((column) => {
        const { el, box } = checkbox(nameOf(column), (now) => flip(column.id, now), signal);
        box.checked = on.has(column.id);
        return el;
      });
      list.replaceChildren(...boxes);
      const more = fitting.length > MOST ? `; ${fitting.length - MOST} more, search for them` : "";
      told.textContent = `${on.size - FIXED.length} of ${choices.length} columns shown${more}`;
    };
    const flip = (id: string, on: boolean): void => {
      const options = owner.options();
      // What "only differing" hides is not chosen away by a hand that ticks another box.
      const hides = onlyDiffering(options, owner.columns);
      const before = { ...options, columns: hides ? [...shown()] : options.columns };
      owner.keep({ ...(hides ? { differing: false } : {}), ...showColumn(before, owner.columns, id, on) });
      draw();
    };
    const all = button(
      "Show all",
      "every column, in its own order",
      () => {
        owner.keep({ columns: null, differing: false });
        draw();
      },
      signal,
    );
    const none = button(
      "Hide all",
      "nothing but the names",
      () => {
        owner.keep({ columns: [], pinned: [], differing: false });
        draw();
      },
      signal,
    );
    search.addEventListener("input", draw, { signal });
    draw();
    const foot = element("div", { class: "ct-formfoot" }, told, all, none);
    return [search, list, foot];
  };
  const popup = openPopup(
    anchor,
    { role: "dialog", "aria-label": "columns" },
    ({ signal: inside }) => content(inside),
    signal,
  );
  popup.el.querySelector("input")?.focus();
}

function nameOf(column: Column): string {
  return column.kind === "best" ? `best ${column.title}` : column.title;
}
