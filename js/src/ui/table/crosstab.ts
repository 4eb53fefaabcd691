import type { Write } from "../../contract.ts";
import { Choice } from "../choice.ts";
import { button } from "../controls.ts";
import { element, say } from "../element.ts";
import { openPopup } from "../popup.ts";
import type { Column } from "./columns.ts";

/** What stands at the left, at the top and in the cells. */
export type Crosstab = Pick<Write, "rows" | "cols" | "value">;

const FORMS = ["latex", "markdown", "csv"] as const;
const SEED = /seed/i;

/** Chooses rows, columns and value of a table for a paper, and shows it before it is copied. */
export function askCrosstab(
  anchor: HTMLElement,
  table: { columns: readonly Column[]; constant: ReadonlySet<string> },
  write: (form: Write["form"], asked: Crosstab) => Promise<string>,
  copy: (text: string) => void,
  signal: AbortSignal,
): void {
  const varied = table.columns.filter((one) => ["param", "fact", "tags", "status"].includes(one.kind));
  const telling = varied.filter((one) => one.kind === "param" && !table.constant.has(one.id) && !SEED.test(one.name));
  const measured = table.columns.filter((one) => ["best", "last", "duration"].includes(one.kind));
  const rows = select("rows", varied, telling[0]?.id ?? varied[0]?.id ?? "");
  const cols = select("columns", varied, telling[1]?.id ?? "", true);
  const best = measured.filter((one) => one.kind === "best");
  const value = select(
    "value",
    measured,
    (best.find((one) => /val|test/.test(one.name)) ?? best[0] ?? measured[0])?.id ?? "",
  );
  const shown = element("pre", { class: "ct-written", tabindex: 0, "aria-label": "the table as it will be copied" });
  let form: Write["form"] = "latex";
  let turn = 0;
  let text = "";

  const draw = async (): Promise<void> => {
    const mine = ++turn;
    const [left, top, cell] = [rows.value, cols.value, value.value];
    shown.setAttribute("aria-busy", "true");
    try {
      const told = await write(form, { rows: [left], cols: top ? [top] : [], value: cell });
      if (mine !== turn) return;
      text = told;
      say(shown, told);
      shown.classList.remove("ct-error");
    } catch (refusal) {
      if (mine !== turn) return;
      text = "";
      say(shown, refusal instanceof Error ? refusal.message : String(refusal));
      shown.classList.add("ct-error");
    }
    shown.removeAttribute("aria-busy");
  };
  const forms = new Choice("form", FORMS, (word) => {
    form = word;
    void draw();
  });
  forms.show(form);
  openPopup(
    anchor,
    { class: "ct-form ct-wideform", role: "dialog", "aria-label": "a table of rows and columns" },
    ({ signal: inside, close }) => {
      for (const one of [rows, cols, value]) one.addEventListener("change", () => void draw(), { signal: inside });
      const keep = button(
        "Copy",
        "",
        () => {
          if (!text) return;
          close();
          copy(text);
        },
        inside,
      );
      const labels = [
        ["rows", rows],
        ["columns", cols],
        ["cells: mean and 95% interval of", value],
      ] as const;
      const choices = labels.map(([words, one]) => element("label", { class: "ct-choice" }, words, one));
      return [...choices, forms.el, shown, element("div", { class: "ct-formfoot" }, keep)];
    },
    signal,
  );
  rows.focus();
  void draw();
}

function select(label: string, columns: readonly Column[], chosen: string, none = false): HTMLSelectElement {
  const options = columns.map((one) => element("option", { value: one.id }, nameOf(one)));
  const made = element(
    "select",
    { class: "ct-field", "aria-label": label },
    none ? element("option", { value: "" }, "none") : null,
    ...options,
  );
  made.value = chosen;
  return made;
}

function nameOf(column: Column): string {
  return column.kind === "best" || column.kind === "last" ? `${column.kind} ${column.title}` : column.title;
}
