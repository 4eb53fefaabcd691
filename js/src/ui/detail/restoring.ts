import type { ExecutionShown } from "../../contract.ts";
import { button } from "../controls.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";

/** Asked of the page that a panel is in: new cells with what ran. It is taken by whoever prevents the default. */
export const RESTORE = "celltrail:restore";

export interface Wanted {
  id: string; // the execution
  code: string;
}

/** Whether the code of an execution is there, all of it. */
export function isKept({ code, is_whole }: ExecutionShown): boolean {
  return is_whole && code !== "";
}

/** A button that brings executions back as new cells; where no notebook takes them, onto the clipboard. */
export function restoreButton(words: string, wanted: readonly Wanted[], signal: AbortSignal): HTMLElement {
  const said = element("span", { class: "ct-muted", role: "status" });
  const press = button(words, "as new cells below; no cell is overwritten, and nothing is run", () => ask(), signal);
  const ask = (): void => {
    const cells = wanted.map(({ id, code }) => ({ id, code }));
    const asked = new CustomEvent<Wanted[]>(RESTORE, {
      bubbles: true,
      composed: true,
      cancelable: true,
      detail: cells,
    });
    if (!press.dispatchEvent(asked)) {
      say(said, `${count(cells.length, "new cell")} in the notebook`);
      return;
    }
    navigator.clipboard
      .writeText(cells.map(({ code }) => code).join("\n\n"))
      .then(() => say(said, "copied: no notebook is open here"))
      .catch((refusal: Error) => say(said, `no notebook is open here, and nothing was copied: ${refusal.message}`));
  };
  return element("p", { class: "ct-restore" }, press, said);
}
