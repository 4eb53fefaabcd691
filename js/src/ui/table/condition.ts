import type { RunRow } from "../../contract.ts";
import { button } from "../controls.ts";
import { element } from "../element.ts";
import { openPopup } from "../popup.ts";
import type { Column } from "./columns.ts";
import { isExpression } from "./filter.ts";

const MOST_VALUES = 30;
const OPERATORS = ["<=", "<", ">=", ">", "==", "!="] as const;

/** How the query language names a column; null where it has no word for it. */
export function termOf(column: Column): string | null {
  const quoted = JSON.stringify(column.name);
  switch (column.kind) {
    case "param":
      return /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(column.name) ? `params.${column.name}` : `params[${quoted}]`;
    case "last":
    case "best":
      return `${column.kind}(${quoted})`;
    case "total":
      return `summary[${quoted}]`;
    case "name":
    case "status":
    case "duration":
    case "fact":
      return column.id;
    default:
      return null;
  }
}

/** The filter with one more condition; plain words give way to it. */
export function narrowed(filter: string, condition: string): string {
  if (!isExpression(filter)) return condition;
  return `${/\bor\b/.test(filter) ? `(${filter})` : filter} and ${condition}`;
}

/** A condition on one column, in the query language: a bound of a number, or some of the values there are. */
export function askCondition(
  anchor: HTMLElement,
  column: Column,
  rows: readonly RunRow[],
  start: RunRow | null,
  done: (condition: string) => void,
  signal: AbortSignal,
): void {
  const term = termOf(column);
  if (term === null) return;
  const label = `only runs whose ${column.title} is`;
  const popup = openPopup(
    anchor,
    { class: "ct-form", role: "dialog", "aria-label": label },
    ({ signal: inside, close }) => {
      const { fields, condition } = column.numeric ? bound(column, start, term) : someOf(column, rows, start, term);
      const keep = (): void => {
        const said = condition();
        if (said === null) return;
        close();
        done(said);
      };
      const filter = button("Filter", "", keep, inside);
      for (const field of fields) {
        field.addEventListener("keydown", (event) => event.key === "Enter" && keep(), { signal: inside });
      }
      return [element("h3", {}, label), ...fields, element("div", { class: "ct-formfoot" }, filter)];
    },
    signal,
  );
  popup.el.querySelector<HTMLElement>("input:checked, input")?.focus();
}

interface Asked {
  fields: HTMLElement[];
  condition(): string | null;
}

function bound(column: Column, start: RunRow | null, term: string): Asked {
  const signs = OPERATORS.map((sign) => element("option", { value: sign }, sign));
  const operator = element("select", { class: "ct-field", "aria-label": "how it compares" }, ...signs);
  const number = element("input", { class: "ct-field", type: "number", step: "any", "aria-label": "number" });
  const key = start && column.key(start);
  if (typeof key === "number" && Number.isFinite(key)) number.value = String(key);
  if (column.goal === "max") operator.value = ">=";
  return {
    fields: [operator, number],
    condition: () => (number.value === "" ? null : `${term} ${operator.value} ${number.value}`),
  };
}

function someOf(column: Column, rows: readonly RunRow[], start: RunRow | null, term: string): Asked {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const key = column.key(row);
    if (typeof key === "string") counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const values = [...counts].sort((a, b) => b[1] - a[1]).slice(0, MOST_VALUES);
  const boxes = values.map(([value, n]) => {
    const box = element("input", { type: "checkbox", value });
    box.checked = start !== null && column.key(start) === value;
    const words = element("span", {}, value, element("span", { class: "ct-muted" }, ` ${n}`));
    return { box, el: element("label", { class: "ct-toggle" }, box, words) };
  });
  const list = element(
    "div",
    { class: "ct-choices", role: "group", "aria-label": "values" },
    ...boxes.map((one) => one.el),
  );
  return {
    fields: [list],
    condition: () => {
      const on = boxes.filter((one) => one.box.checked).map((one) => JSON.stringify(one.box.value));
      if (on.length === 0) return null;
      return on.length === 1 ? `${term} == ${on[0]}` : `${term} in [${on.join(", ")}]`;
    },
  };
}
