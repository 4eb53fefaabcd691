import type { TableOptions } from "../../contract.ts";
import { type Offer, openMenu } from "../menu.ts";
import type { Changes } from "./changes.ts";
import { byKey, columnOffers, rowOffers } from "./commands.ts";
import { askCondition, termOf } from "./condition.ts";
import type { Spot } from "./gridview.ts";
import { type Entry, isGhost, isGroup } from "./grouping.ts";
import type { Chosen, TableModel } from "./model.ts";

const NO_KERNEL = "an expression needs the kernel: run the cell again";

export interface ActsOwner {
  shown(): string[]; // ids of the columns in the order they stand in
  keep(change: Partial<TableOptions>): void;
  find(): void;
  /** One more condition in the filter. */
  narrow(condition: string): void;
}

/** What can be done at a place in the table: by its menu, by its keys, by two clicks. */
export class Acts {
  constructor(
    private readonly model: TableModel,
    private readonly changes: Changes,
    private readonly owner: ActsOwner,
    private readonly signal: AbortSignal,
  ) {}

  keyed(event: KeyboardEvent, spot: Spot<Entry>): boolean {
    const held = event.ctrlKey || event.metaKey;
    if (event.key === "z" && held) this.changes.undo();
    else if (event.key === "/" && !held) this.owner.find();
    else if (event.key === "?" || (event.key === "ArrowDown" && event.altKey)) this.menu(spot);
    else {
      const offer = byKey(this.#offers(spot), event);
      offer?.act();
      return offer !== null;
    }
    return true;
  }

  menu(spot: Spot<Entry>): void {
    const offers = this.#offers(spot);
    if (offers.length > 0) openMenu(spot.cell, "what can be done here", offers, this.signal);
  }

  /** What can be changed of the selected runs. */
  change(anchor: HTMLElement): void {
    const { selected } = this.model.options;
    const open = (): void =>
      openMenu(
        anchor,
        "change the selected runs",
        this.changes.offers(this.model.chosen(selected), anchor),
        this.signal,
      );
    const { far } = this.model;
    if (far) void far.hold(selected).then(open, open);
    else open();
  }

  open({ row, column, cell }: Spot<Entry>): void {
    if (row === null || isGroup(row) || isGhost(row) || !this.changes.able) return;
    const { kind } = this.model.column(column) ?? {};
    if (kind === "name") this.changes.rename(row, cell);
    else if (kind === "tags") this.changes.tags([row], cell);
    else if (kind === "note") this.changes.note([row], cell);
  }

  #offers(spot: Spot<Entry>): Offer[] {
    const column = this.model.column(spot.column);
    if (!column) return [];
    const where = { entry: spot.row, column, width: spot.cell.offsetWidth, shown: this.owner.shown() };
    const start = spot.row === null || isGroup(spot.row) || isGhost(spot.row) ? null : spot.row;
    const filter: Offer = {
      words: `Filter by ${column.title}…`,
      key: "f",
      ...(this.changes.able ? {} : { why: NO_KERNEL }),
      act: () => askCondition(spot.cell, column, this.model.rows, start, this.owner.narrow, this.signal),
    };
    const parts = [
      rowOffers(where, this.model, this.owner.keep),
      this.changes.offers(this.#meant(spot.row), spot.cell),
      termOf(column) === null ? [] : [filter],
      columnOffers(where, this.model, this.owner.keep),
    ];
    return parts.filter((part) => part.length > 0).flatMap((part, at) => (at === 0 ? part : [null, ...part]));
  }

  /** The runs that a change of this row is about: all selected ones where it is among them. */
  #meant(entry: Entry | null): readonly Chosen[] {
    if (entry === null) return [];
    const runs = isGroup(entry) ? entry.runs : [entry.id];
    const selected = new Set(this.model.options.selected);
    return this.model.chosen(runs.every((run) => selected.has(run)) ? [...selected] : runs);
  }
}
