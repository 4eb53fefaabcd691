import type { Edit } from "../../contract.ts";
import { button } from "../controls.ts";
import { element, tell } from "../element.ts";

const MIXED = "these are of different trails: celltrail import brings them into one";

interface Doer {
  open(): void;
  compare(): void;
  /** The button with which the line is taken that loads them; what was done with it, in words. */
  readonly code: { label: string; title: string; take(): string | Promise<string> };
  change(what: Edit["do"], text: string): Promise<string>;
}

/** What can be done to the selected runs: buttons, and a box for the words that a tag, note or name needs. */
export class Deeds {
  readonly el = element("div", { class: "ct-rl-foot", role: "toolbar", "aria-label": "selected runs" });
  readonly #said = element("p", { class: "ct-muted ct-rl-said", role: "status" });
  readonly #words = element("input", { type: "text", "aria-label": "tag" });
  readonly #one: HTMLButtonElement[];
  readonly #two: HTMLButtonElement[];
  readonly #code: HTMLButtonElement;
  #wanted: Edit["do"] = "tag";
  #selected = 0;

  constructor(
    private readonly doer: Doer,
    signal: AbortSignal,
  ) {
    const push = (text: string, title: string, press: () => void): HTMLButtonElement =>
      button(text, title, press, signal);
    this.#code = push(doer.code.label, doer.code.title, () => void this.#say(doer.code.take()));
    this.#one = [
      push("open", "in a tab of its own", () => doer.open()),
      this.#code,
      push("tag", "", () => this.#ask("tag")),
      push("note", "", () => this.#ask("note")),
      push("archive", "out of the list, not out of the trail", () => void this.#change("archive", "")),
    ];
    this.#two = [push("compare", "select two or more", () => doer.compare())];
    this.#words.hidden = true;
    this.#words.addEventListener("keydown", (event) => this.#keyed(event), { signal });
    this.el.append(...this.#one.slice(0, 1), ...this.#two, ...this.#one.slice(1), this.#words, this.#said);
    this.#tell("");
  }

  /** @param mixed - whether those selected are of several trails */
  show(selected: number, mixed: boolean): void {
    for (const one of this.#one) one.disabled = selected === 0;
    for (const two of this.#two) {
      two.disabled = selected < 2 || mixed;
      two.title = mixed ? MIXED : "select two or more";
    }
    this.#code.disabled = selected === 0 || (mixed && selected > 1);
    this.#code.title = this.#code.disabled && mixed ? MIXED : this.doer.code.title;
    if (selected === 0) this.#words.hidden = true;
    if (selected === this.#selected) return;
    this.#selected = selected;
    this.#tell(selected > 1 ? `${selected} selected` : "");
  }

  #ask(what: "tag" | "note"): void {
    this.#wanted = what;
    this.#words.value = "";
    this.#words.placeholder = what === "tag" ? "a tag, then Enter" : "a note, then Enter";
    this.#words.setAttribute("aria-label", what);
    this.#words.hidden = false;
    this.#words.focus();
  }

  #keyed(event: KeyboardEvent): void {
    if (event.key === "Escape") this.#words.hidden = true;
    if (event.key !== "Enter" || !this.#words.value.trim()) return;
    this.#words.hidden = true;
    void this.#change(this.#wanted, this.#words.value.trim());
  }

  #change(what: Edit["do"], text: string): Promise<void> {
    return this.#say(this.doer.change(what, text));
  }

  async #say(done: string | Promise<string>): Promise<void> {
    try {
      this.#tell(await done);
    } catch (problem) {
      this.#tell(problem instanceof Error ? problem.message : String(problem));
    }
  }

  #tell(sentence: string): void {
    tell(this.#said, sentence);
    this.el.hidden = this.#selected === 0 && !sentence;
  }
}
