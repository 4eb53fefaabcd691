import { element } from "./element.ts";

let groups = 0;

/** A few words of which one holds: real radio buttons, so that arrows, Tab and screen readers know what to do. */
export class Choice<Word extends string> {
  readonly el: HTMLElement;
  readonly #inputs = new Map<Word, HTMLInputElement>();

  constructor(title: string, words: readonly Word[], chosen: (word: Word) => void) {
    const name = `ct-choice-${++groups}`;
    this.el = element("div", { class: "ct-segments", role: "radiogroup", "aria-label": title });
    for (const word of words) {
      const input = element("input", { type: "radio", name, value: word });
      input.addEventListener("change", () => chosen(word));
      this.#inputs.set(word, input);
      this.el.append(element("label", {}, input, word));
    }
  }

  show(word: Word): void {
    for (const [one, input] of this.#inputs) input.checked = one === word;
  }
}
