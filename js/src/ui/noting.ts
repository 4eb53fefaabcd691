import type { Mark } from "../contract.ts";
import type { Source } from "../source.ts";
import type { Card, Picked } from "./card.ts";
import { element, say } from "./element.ts";
import { formatReal } from "./format.ts";
import { openPopup } from "./popup.ts";

/** A box under a plot that keeps a note on one of its points. */
export function openNote(
  card: Card,
  { run, metric, step, value }: Picked,
  source: Pick<Source<unknown>, "note">,
  kept: (marks: readonly Mark[]) => void,
  signal: AbortSignal,
): void {
  const title = `note on ${metric} ${formatReal(value)} at step ${step.toLocaleString("en-US")}`;
  openNoteBox(card.anchor, title, (text) => source.note({ run, metric, step, text }), kept, signal);
}

/** A box that asks for the text of a note, and stays until that is kept. */
export function openNoteBox(
  anchor: HTMLElement,
  title: string,
  note: (text: string) => Promise<Mark[]>,
  kept: (marks: readonly Mark[]) => void,
  signal: AbortSignal,
): void {
  const input = element("input", {
    class: "find",
    type: "text",
    "aria-label": title,
    placeholder: "what is to be seen",
  });
  const fault = element("p", { class: "ct-error", role: "alert" });
  const keep = element("button", { type: "submit", class: "ct-button" }, "keep");
  const form = element("form", { class: "noting" }, element("h3", {}, title), input, keep, fault);
  const popup = openPopup(anchor, { role: "dialog", "aria-label": title }, () => [form], signal);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep.disabled = true;
    say(fault, "");
    note(input.value).then(
      (marks) => {
        popup.close();
        kept(marks);
      },
      (error: Error) => {
        keep.disabled = false;
        say(fault, error.message);
      },
    );
  });
  input.focus();
}
