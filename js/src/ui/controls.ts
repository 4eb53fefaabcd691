import { element } from "./element.ts";

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
