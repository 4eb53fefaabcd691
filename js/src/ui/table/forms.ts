import { button } from "../controls.ts";
import { element } from "../element.ts";
import { openPopup } from "../popup.ts";
import type { Chosen } from "./model.ts";

/** A line or a few lines of text: Enter keeps it (in a text of several lines with Ctrl), Esc leaves it. */
export function askText(
  anchor: HTMLElement,
  asked: { label: string; start: string; lines: number; keep: string },
  done: (text: string) => void,
  signal: AbortSignal,
): void {
  const several = asked.lines > 1;
  const field = several
    ? element("textarea", { class: "ct-field", rows: asked.lines, "aria-label": asked.label })
    : element("input", { class: "ct-field", type: "text", "aria-label": asked.label, autocomplete: "off" });
  field.value = asked.start;
  openPopup(
    anchor,
    { class: "ct-form", role: "dialog", "aria-label": asked.label },
    ({ signal: inside, close }) => {
      const keep = (): void => {
        close();
        done(field.value);
      };
      field.addEventListener(
        "keydown",
        (event) => {
          const { key, isComposing, ctrlKey, metaKey } = event as KeyboardEvent;
          if (key !== "Enter" || isComposing || (several && !ctrlKey && !metaKey)) return;
          event.preventDefault();
          keep();
        },
        { signal: inside },
      );
      const tip = element("span", { class: "ct-muted ct-told" }, several ? "Ctrl+Enter keeps it" : "Enter keeps it");
      const foot = element("div", { class: "ct-formfoot" }, tip, button(asked.keep, "", keep, inside));
      return [element("h3", {}, asked.label), field, foot];
    },
    signal,
  );
  field.focus();
  field.select();
}

/** The tags of some runs: boxes for those there are, a line for a new one. */
export function askTags(
  anchor: HTMLElement,
  asked: { label: string; runs: readonly Chosen[]; known: readonly string[] },
  flip: (tag: string, on: boolean) => void,
  signal: AbortSignal,
): void {
  const field = element("input", {
    class: "ct-field",
    type: "text",
    placeholder: "a new tag",
    "aria-label": "a new tag",
    autocomplete: "off",
  });
  openPopup(
    anchor,
    { class: "ct-form", role: "dialog", "aria-label": asked.label },
    ({ signal: inside, close }) => {
      const boxes = asked.known.map((tag) => {
        const having = asked.runs.filter((run) => run.tags.includes(tag)).length;
        const box = element("input", { type: "checkbox" });
        box.checked = having === asked.runs.length;
        box.indeterminate = having > 0 && !box.checked;
        box.addEventListener("change", () => flip(tag, box.checked), { signal: inside });
        return element("label", { class: "ct-toggle" }, box, element("span", {}, tag));
      });
      const add = (): void => {
        const tag = field.value.trim();
        if (!tag) return;
        close();
        flip(tag, true);
      };
      field.addEventListener(
        "keydown",
        (event) => {
          if (event.key !== "Enter" || event.isComposing) return;
          event.preventDefault();
          add();
        },
        { signal: inside },
      );
      const list = element("div", { class: "ct-choices", role: "group", "aria-label": "tags" }, ...boxes);
      const foot = element("div", { class: "ct-formfoot" }, button("Add", "add the new tag", add, inside));
      return [element("h3", {}, asked.label), ...(boxes.length > 0 ? [list] : []), field, foot];
    },
    signal,
  );
  field.focus();
}
