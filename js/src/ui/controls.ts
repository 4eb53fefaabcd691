import { element } from "./element.ts";

/** How controls look, and two colours that the tables add to the shared ones. */
export const controlStyles = `
.ct {
  --ct-edge: color-mix(in srgb, var(--ct-ink) 48%, var(--ct-surface));
  --ct-headground: color-mix(in srgb, var(--ct-hover) 45%, var(--ct-surface));
}
.ct-bar { align-items: center; display: flex; flex-wrap: wrap; gap: 4px 12px; margin-bottom: 6px; min-height: 28px; }
.ct-toggle { align-items: center; cursor: pointer; display: inline-flex; gap: 6px; white-space: nowrap; }
.ct-toggle input { accent-color: var(--ct-accent); flex: none; }
`;

/** A push button that does one thing. */
export function button(text: string, title: string, press: () => void, signal: AbortSignal): HTMLButtonElement {
  const made = element("button", { type: "button", class: "ct-button", title: title || null }, text);
  made.addEventListener("click", press, { signal });
  return made;
}

/** A check box with its words. */
export interface Checkbox {
  el: HTMLLabelElement;
  box: HTMLInputElement;
  words: HTMLElement;
}

/** A check box that says when it is flipped. */
export function checkbox(text: string, flip: (on: boolean) => void, signal: AbortSignal): Checkbox {
  const box = element("input", { type: "checkbox" });
  const words = element("span", {}, text);
  box.addEventListener("change", () => flip(box.checked), { signal });
  return { el: element("label", { class: "ct-toggle" }, box, words), box, words };
}
