import type { Answer, SavedView, TableOptions } from "../../contract.ts";
import type { Source, Wish } from "../../source.ts";
import { type Offer, openMenu } from "../menu.ts";
import { isExpression } from "./filter.ts";
import { askText } from "./forms.ts";

const NO_KERNEL = "saved views need the kernel: run the cell again";

export interface ViewsOwner {
  options(): TableOptions;
  /** The kernel shows other runs now; this is how. */
  opened(options: TableOptions): void;
  /** Only the runs of this expression. */
  find(expression: string): void;
  say(sentence: string, wrong: boolean): void;
}

/** Questions that got a name: opened, kept and taken back by a menu. They belong to the trail, for all who use it. */
export class Views {
  #open = ""; // the view that is shown

  constructor(
    private readonly source: Pick<Source<TableOptions>, "kind" | "ask" | "payload">,
    private readonly owner: ViewsOwner,
    private readonly signal: AbortSignal,
  ) {}

  get why(): string {
    return this.source.kind === "kernel" ? "" : NO_KERNEL;
  }

  async menu(anchor: HTMLElement): Promise<void> {
    const answer = await this.#ask({ kind: "views" });
    if (answer && !this.signal.aborted)
      openMenu(anchor, "saved views", this.#offers(answer.views ?? [], anchor), this.signal);
  }

  #offers(views: readonly SavedView[], anchor: HTMLElement): Offer[] {
    const named = views.map(({ name, where }) => ({
      words: where ? `${name}: ${where}` : name,
      on: name === this.#open,
      act: () => void this.#show(name),
    }));
    const first = { words: "what the cell asks for", on: this.#open === "", act: () => void this.#show("") };
    const save = { words: "Save what is shown as a view…", act: () => this.#save(anchor) };
    const drop = { words: `Remove the view ${this.#open}`, act: () => void this.#drop(this.#open) };
    const hidden = ["archived", "deleted"].map((word) => ({
      words: `${word} runs`,
      act: () => this.owner.find(`${word} == True`),
    }));
    return [first, ...named, null, ...hidden, null, save, ...(this.#open ? [drop] : [])];
  }

  async #show(name: string): Promise<void> {
    if (!(await this.#ask({ kind: "open_view", name }))) return;
    this.#open = name;
    const { table } = this.source.payload();
    if (table) this.owner.opened(table);
    this.owner.say("", false);
  }

  #save(anchor: HTMLElement): void {
    const asked = { label: "name of the view", start: this.#open, lines: 1, keep: "Save" };
    askText(anchor, asked, (name) => void this.#keep(name.trim()), this.signal);
  }

  async #keep(name: string): Promise<void> {
    const options = this.owner.options();
    const asks = isExpression(options.filter);
    const kept = asks ? { ...options, filter: "" } : options;
    const answer = await this.#ask({ kind: "save_view", name, where: asks ? options.filter : "", options: kept });
    if (answer?.said) this.owner.say(answer.said, false);
  }

  async #drop(name: string): Promise<void> {
    const answer = await this.#ask({ kind: "drop_view", name });
    if (answer?.said) this.owner.say(answer.said, false);
    if (answer) this.#open = "";
  }

  async #ask(wish: Wish): Promise<Answer | null> {
    try {
      return await this.source.ask(wish);
    } catch (refusal) {
      this.owner.say(refusal instanceof Error ? refusal.message : String(refusal), true);
      return null;
    }
  }
}
