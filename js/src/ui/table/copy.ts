import type { RunRow } from "../../contract.ts";
import type { Column } from "./columns.ts";

/** Tab-separated values in full precision, for a spreadsheet. */
export function toTsv(columns: readonly Column[], rows: readonly RunRow[]): string {
  const shown = columns.filter((column) => column.kind !== "select");
  const line = (cells: string[]): string => cells.map(oneLine).join("\t");
  return [line(shown.map(heading)), ...rows.map((row) => line(shown.map((column) => column.raw(row))))].join("\n");
}

/** A Markdown table that says what the screen says. */
export function toMarkdown(columns: readonly Column[], rows: readonly RunRow[]): string {
  const shown = columns.filter((column) => column.kind !== "select");
  const line = (cells: string[]): string =>
    `| ${cells.map((cell) => oneLine(cell).replace(/[\\|`*_<[]/g, "\\$&")).join(" | ")} |`;
  const rule = `| ${shown.map((column) => (column.numeric ? "---:" : "---")).join(" | ")} |`;
  return [line(shown.map(heading)), rule, ...rows.map((row) => line(shown.map((column) => column.text(row))))].join(
    "\n",
  );
}

/** Puts text on the clipboard; false when the browser refuses. */
export async function copyText(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyTheOldWay(text, near);
  }
}

/** A hub reached by plain http has no navigator.clipboard. */
function copyTheOldWay(text: string, near: HTMLElement): boolean {
  const held = near.ownerDocument.activeElement?.shadowRoot?.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  near.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (held instanceof HTMLElement) held.focus();
  return done;
}

function heading(column: Column): string {
  return column.kind === "last" || column.kind === "param" ? column.title : column.id;
}

function oneLine(text: string): string {
  return text.replace(/[\t\r\n]+/g, " ");
}
