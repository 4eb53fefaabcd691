import type { SavedPanel } from "../../contract.ts";
import { element, say } from "../element.ts";
import { count } from "../format.ts";
import type { Seen, TableModel } from "./model.ts";

/** Everything a table says in sentences: what it is of, how much is shown, what is odd, why nothing is there. */
export class TableWords {
  readonly title = element("span", { class: "ct-title" });
  readonly counted = element("span", { class: "ct-muted", role: "status" });
  readonly none = element("div", { class: "ct-message" });
  readonly hints = element("p", { class: "ct-muted", role: "status" });
  readonly trouble = element("p", { class: "ct-error", role: "alert", hidden: true });
  search: HTMLElement | null = null;

  complain(sentence: string): void {
    say(this.trouble, sentence);
    this.trouble.hidden = sentence === "";
  }

  /** True where there are no runs at all, and so nothing to look at them with. */
  show(payload: SavedPanel, seen: Seen, model: TableModel): boolean {
    const total = payload.rows.length + payload.omitted;
    const held = model.far?.listing ? total : model.rows.length;
    const shown = seen.runs.length;
    say(this.title, payload.title);
    this.title.title = payload.title;
    say(this.counted, counted(shown, model.found?.total ?? shown, total, held));
    const empty = held === 0 && model.found === null && payload.omitted === 0;
    const odd = model.found?.hints ?? model.far?.listing?.hints ?? payload.hints;
    say(this.hints, odd.join("; "));
    this.hints.hidden = odd.length === 0;
    this.counted.hidden = empty;
    if (this.search) this.search.hidden = empty;
    this.none.hidden = shown > 0 || (empty && odd.length > 0); // that nothing is there was said above
    this.none.classList.toggle("ct-none", !empty);
    if (this.none.hidden) this.none.textContent = "";
    else if (empty) this.none.replaceChildren("no runs yet; put ", element("code", {}, "%%track"), " on a cell");
    else this.none.textContent = "no run matches the filter";
    return empty;
  }
}

/** "12 of 300 runs", and when the panel does not hold them all, how to reach the others. */
function counted(shown: number, found: number, total: number, held: number): string {
  if (held < total && shown === held) return `the first ${shown} of ${count(total, "run")}; the kernel has the others`;
  if (found > shown) return `the first ${shown} of ${count(found, "run")} that match`;
  return shown === total ? count(total, "run") : `${shown} of ${count(total, "run")}`;
}
