import type { RunRow, Write } from "../../contract.ts";
import type { Source } from "../../source.ts";
import { count } from "../format.ts";
import { type Offer, openMenu } from "../menu.ts";
import type { Column } from "./columns.ts";
import { copyText, toMarkdown, toTsv } from "./copy.ts";
import { askCrosstab, type Crosstab } from "./crosstab.ts";
import type { Seen, TableModel } from "./model.ts";

const NO_KERNEL = "this form needs the kernel: run the cell again";
const REFUSED = "the browser did not allow copying";

export interface CopiesOwner {
  seen(): Seen;
  model: Pick<TableModel, "columns" | "constant" | "far" | "here">;
  say(sentence: string, wrong: boolean): void;
}

/** The table as text for elsewhere. What the kernel writes is what `ct.runs().to_latex()` and its like give. */
export class Copies {
  constructor(
    private readonly source: Pick<Source<unknown>, "kind" | "ask">,
    private readonly owner: CopiesOwner,
    private readonly near: HTMLElement,
    private readonly signal: AbortSignal,
  ) {}

  menu(anchor: HTMLElement): void {
    const kernel = this.source.kind === "kernel";
    const able = kernel ? {} : { why: NO_KERNEL };
    const offers: Offer[] = [
      {
        words: "for a spreadsheet (TSV)",
        act: () => void this.#copy(() => (this.owner.model.far ? this.#write("tsv") : toTsv(...this.#shown()))),
      },
      {
        words: "as Markdown",
        act: () => void this.#copy(() => (kernel ? this.#write("markdown") : toMarkdown(...this.#shown()))),
      },
      { words: "as CSV", ...able, act: () => void this.#copy(() => this.#write("csv")) },
      { words: "as LaTeX", ...able, act: () => void this.#copy(() => this.#write("latex")) },
      null,
      { words: "a table of rows × columns…", ...able, act: () => this.#crosstab(anchor) },
    ];
    openMenu(anchor, "copy the table", offers, this.signal);
  }

  #shown(): [Column[], RunRow[]] {
    const { columns, runs } = this.owner.seen();
    return [columns, this.owner.model.here(runs)];
  }

  async #write(form: Write["form"], crosstab?: Crosstab): Promise<string> {
    const { columns, runs } = this.owner.seen();
    const { text } = await this.source.ask({
      kind: "write",
      form,
      runs,
      columns: columns.flatMap((column) => (column.kind === "select" ? [] : [column.id])),
      ...(crosstab ?? { rows: [], cols: [], value: null }),
    });
    return text ?? "";
  }

  async #copy(text: () => string | Promise<string>): Promise<void> {
    const { runs } = this.owner.seen();
    try {
      const done = await copyText(await text(), this.near);
      this.owner.say(done ? `copied ${count(runs.length, "run")}` : REFUSED, !done);
    } catch (refusal) {
      this.owner.say(refusal instanceof Error ? refusal.message : String(refusal), true);
    }
  }

  #crosstab(anchor: HTMLElement): void {
    askCrosstab(
      anchor,
      this.owner.model,
      (form, asked) => this.#write(form, asked),
      (text) => void this.#copy(() => text),
      this.signal,
    );
  }
}
