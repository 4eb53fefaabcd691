import type { RunRow } from "../../contract.ts";
import { formatScalar } from "../format.ts";

/**
 * Whether the text is meant for the query language: a comparison, a quote, a backquote or a parenthesis.
 *
 * "/" and "-" are left out on purpose: `val/acc` and `sweep-1` are names, and plain words find them.
 */
export function isExpression(text: string): boolean {
  return /[<>=!'"`()]/.test(text);
}

/** Everything about a run that a plain word may find, in lower case. */
export function searchText(row: RunRow): string {
  const params = Object.entries(row.params).map(([name, param]) => `${name} ${formatScalar(param.value)}`);
  const parts = [row.name, row.id, row.status, row.project, row.note, row.error, row.notebook, row.group];
  return [...parts, ...row.tags, ...params, ...Object.keys(row.metrics)].join("\n").toLowerCase();
}

/** A search over rows whose texts are built once: at 10,000 rows building costs more than looking. */
export class WordFilter {
  #texts = new WeakMap<RunRow, string>();

  /** The rows that hold every one of the words. */
  rows(rows: readonly RunRow[], text: string): RunRow[] {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [...rows];
    return rows.filter((row) => {
      let said = this.#texts.get(row);
      if (said === undefined) {
        said = searchText(row);
        this.#texts.set(row, said);
      }
      return words.every((word) => said.includes(word));
    });
  }
}
