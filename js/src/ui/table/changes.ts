import type { Edit, RunRow } from "../../contract.ts";
import type { Source } from "../../source.ts";
import { count } from "../format.ts";
import type { Offer } from "../menu.ts";
import { askTags, askText } from "./forms.ts";
import type { Chosen } from "./model.ts";

const NO_KERNEL = "changing runs needs the kernel: run the cell again";

export interface ChangesOwner {
  rows(): readonly RunRow[];
  /** What was done or could not be; with the way back where there is one. */
  say(sentence: string, wrong: boolean, undo: (() => void) | null): void;
  /** These runs are out of sight now. */
  gone(runs: readonly string[]): void;
}

/** What people say of runs, changed from the table: each change goes to the kernel, and can be taken back. */
export class Changes {
  readonly #done: string[] = []; // ids of the edits that can be taken back

  constructor(
    private readonly source: Pick<Source<unknown>, "kind" | "ask">,
    private readonly owner: ChangesOwner,
    private readonly signal: AbortSignal,
  ) {}

  get able(): boolean {
    return this.source.kind === "kernel";
  }

  /** What can be changed of these runs. */
  offers(runs: readonly Chosen[], anchor: HTMLElement): Offer[] {
    const [first] = runs;
    if (!first) return [];
    const many = runs.length === 1 ? "" : ` ${count(runs.length, "run")}`;
    const able = this.able ? {} : { why: NO_KERNEL };
    const offer = (words: string, key: string, act: () => void): Offer => ({ words, key, ...able, act });
    const offers = [
      offer(`Tags${many && ` of${many}`}…`, "t", () => this.tags(runs, anchor)),
      offer(many ? `Add a note to${many}…` : "Note…", "e", () => this.note(runs, anchor)),
      runs.every((run) => run.starred)
        ? offer(`Take the star off${many}`, "s", () => this.#put("unstar", runs))
        : offer(`Star${many}`, "s", () => this.#put("star", runs)),
      runs.every((run) => run.archived)
        ? offer(`Bring back from the archive${many}`, "a", () => this.#put("unarchive", runs))
        : offer(`Archive${many}`, "a", () => this.#put("archive", runs)),
      runs.every((run) => run.deleted)
        ? offer(`Bring back${many}`, "Delete", () => this.#put("undelete", runs))
        : offer(`Delete${many}`, "Delete", () => this.#put("delete", runs)),
    ];
    if (!many) offers.unshift(offer("Rename…", "F2", () => this.rename(first, anchor)));
    if (this.#done.length > 0) offers.push(offer("Undo the last change", "u", () => this.undo()));
    return offers;
  }

  rename(run: Chosen, anchor: HTMLElement): void {
    const asked = { label: "name of the run", start: run.name, lines: 1, keep: "Rename" };
    askText(anchor, asked, (text) => text !== run.name && this.#put("rename", [run], text), this.signal);
  }

  tags(runs: readonly Chosen[], anchor: HTMLElement): void {
    const known = [...new Set(this.owner.rows().flatMap((row) => row.tags))].sort();
    const label = runs.length === 1 ? `tags of ${runs[0]?.name}` : `tags of ${count(runs.length, "run")}`;
    askTags(anchor, { label, runs, known }, (tag, on) => this.#put(on ? "tag" : "untag", runs, tag), this.signal);
  }

  /** Of one run the note as it is, of several a note more. */
  note(runs: readonly Chosen[], anchor: HTMLElement): void {
    const [first] = runs;
    if (!first) return;
    const alone = runs.length === 1;
    const label = alone ? `note of ${first.name}` : `a note for ${count(runs.length, "run")}`;
    const start = alone ? first.note : "";
    const keep = (text: string): void => {
      if (text.trim() !== start) this.#put(alone ? "rewrite" : "note", runs, text);
    };
    askText(anchor, { label, start, lines: 4, keep: "Keep" }, keep, this.signal);
  }

  undo(): void {
    const edit = this.#done.pop();
    if (edit !== undefined) void this.#ask({ kind: "undo", edit });
  }

  #put(what: Edit["do"], runs: readonly Chosen[], text = ""): void {
    const ids = runs.map((run) => run.id);
    void this.#ask({ kind: "edit", runs: ids, do: what, text }).then((edit) => {
      if (edit !== null && (what === "archive" || what === "delete")) this.owner.gone(ids);
    });
  }

  /** The id of the edit that was made; null where none was. */
  async #ask(wish: Parameters<Source<unknown>["ask"]>[0]): Promise<string | null> {
    this.owner.say("changing…", false, null);
    try {
      const { reply_to, said } = await this.source.ask(wish);
      if (wish.kind === "edit") this.#done.push(reply_to);
      this.owner.say(said ?? "", false, this.#done.length > 0 ? () => this.undo() : null);
      return reply_to;
    } catch (refusal) {
      this.owner.say(refusal instanceof Error ? refusal.message : String(refusal), true, null);
      return null;
    }
  }
}
