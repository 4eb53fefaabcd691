import type { TableOptions } from "../../contract.ts";
import type { Offer } from "../menu.ts";
import type { Column } from "./columns.ts";
import { type Entry, isGroup } from "./grouping.ts";
import type { TableModel } from "./model.ts";
import { FIXED, flipped, moveBy, resized, showColumn } from "./options.ts";
import { sortedAs } from "./order.ts";

const STEP = 24; // px

/** What a cell of the table is about. */
export interface Where {
  entry: Entry | null; // null: the header
  column: Column;
  width: number;
  shown: readonly string[]; // ids of the columns in the order they stand in
}

type Keep = (change: Partial<TableOptions>) => void;

/** What can be done with a column; the menu lists it, the keys do it. */
export function columnOffers(where: Where, model: TableModel, keep: Keep): Offer[] {
  const { column, shown } = where;
  const { options } = model;
  if (column.kind === "select") return [];
  const { id } = column;
  const fixed = FIXED.includes(id);
  const sorted = sortedAs(options.sort, id);
  const move = (by: -1 | 1): void => keep(moveBy(options, model.columns, shown, id, by));
  const widen = (by: number): void => keep(resized(options, id, where.width + by));
  const sorting: Offer[] = [
    { words: "Sort from low to high", on: sorted?.descending === false, act: () => keep({ sort: [id] }) },
    { words: "Sort from high to low", on: sorted?.descending === true, act: () => keep({ sort: [`-${id}`] }) },
    null,
  ];
  const sizing: Offer[] = [
    { words: "Wider", key: "+", act: () => widen(STEP) },
    { words: "Narrower", key: "-", act: () => widen(-STEP) },
  ];
  if (options.widths[id] !== undefined)
    sizing.push({ words: "As wide as it needs", key: "0", act: () => keep(resized(options, id, null)) });
  const placing: Offer[] = [
    { words: "Pin at the left", key: "p", on: options.pinned.includes(id), act: () => keep(pin(options, model, id)) },
    { words: "Move left", key: "<", act: () => move(-1) },
    { words: "Move right", key: ">", act: () => move(1) },
    { words: "Hide", key: "h", act: () => keep(showColumn(options, model.columns, id, false)) },
    {
      words: `Group by ${column.title}`,
      key: "g",
      on: options.group.includes(id),
      act: () => keep({ group: flipped(options.group, id), folded: [] }),
    },
    null,
  ];
  return fixed ? [...sorting, ...sizing] : [...sorting, ...placing, ...sizing];
}

/** What can be done with the run of a row without changing anything that is kept of it. */
export function rowOffers(where: Where, model: TableModel, keep: Keep): Offer[] {
  const { entry } = where;
  if (entry === null || isGroup(entry)) return [];
  const { baseline } = model.options;
  const on = entry.id === baseline;
  return [
    {
      words: "Baseline the others are compared with",
      key: "b",
      on,
      act: () => keep({ baseline: on ? null : entry.id }),
    },
  ];
}

/** The offer that a key stands for. */
export function byKey(offers: readonly Offer[], event: KeyboardEvent): Offer {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  return offers.find((offer) => offer?.key === event.key && offer.why === undefined) ?? null;
}

function pin(options: TableOptions, model: TableModel, id: string): Partial<TableOptions> {
  const pinned = flipped(options.pinned, id);
  const hidden = options.columns !== null && !options.columns.includes(id);
  return hidden ? { pinned, ...showColumn(options, model.columns, id, true) } : { pinned };
}
