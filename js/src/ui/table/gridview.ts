import type { Sort } from "./order.ts";

export interface GridColumn<Row> {
  id: string;
  width: number;
  role: "gridcell" | "rowheader";
  right: boolean;
  sorts: boolean;
  moves: boolean; // can be put elsewhere and made wider
  head(cell: HTMLElement): void;
  fill(cell: HTMLElement, row: Row): void;
}

/** What the grid shows now. `reserve` rows of height are kept free, so that a filter moves nothing below the grid. */
export interface GridView<Row> {
  columns: readonly GridColumn<Row>[];
  pinned: number; // columns that stay at the left; the first one is the box that selects
  rows: readonly Row[];
  sticky: boolean; // whether the first row stays in sight
  tree: boolean; // whether some rows hold others
  sort: Sort;
  selected: ReadonlySet<string>;
  reserve: number;
}

/** How a row stands among the others. */
export interface Standing {
  mark: "" | "group" | "baseline";
  title: string;
  level: number | null; // in a tree, from 1
  expanded: boolean | null; // null where it holds no others
}

/** One cell of the grid: its row (null in the header), its column, its element. */
export interface Spot<Row> {
  row: Row | null;
  column: string;
  cell: HTMLElement;
}

/** What the grid asks of its owner. */
export interface GridOwner<Row> {
  label: string;
  key(row: Row): string;
  standing(row: Row): Standing;
  press(column: string, several: boolean): void;
  select(keys: string[], on: boolean): void;
  /** Opens or closes a row that holds others. */
  toggle(row: Row): void;
  /** A key that does not move; true when it meant something. */
  keyed(event: KeyboardEvent, at: Spot<Row>): boolean;
  /** What can be done with a cell, as by the right button of the mouse. */
  menu(at: Spot<Row>): void;
  /** Two clicks: change what the cell says. */
  open(at: Spot<Row>): void;
  resize(column: string, width: number): void;
  move(column: string, before: string | null): void;
  /** The rows from `first` to `end` and these columns are drawn. */
  drawn(first: number, end: number, columns: readonly string[]): void;
}

/** What a grid shows before it is told anything. */
export function nothing<Row>(): GridView<Row> {
  return {
    columns: [],
    pinned: 0,
    rows: [],
    sticky: false,
    tree: false,
    sort: [],
    selected: new Set(),
    reserve: 0,
  };
}

/** Whether cells drawn for one view stand where those of another belong. */
export function sameColumns<Row>(a: GridView<Row>, b: GridView<Row>): boolean {
  return (
    a.pinned === b.pinned &&
    a.columns.length === b.columns.length &&
    a.columns.every((column, at) => column.id === b.columns[at]?.id && column.width === b.columns[at]?.width)
  );
}

/** An attribute that some rows lack. */
export function put(el: HTMLElement, name: string, value: number | boolean | null): void {
  if (value === null) el.removeAttribute(name);
  else el.setAttribute(name, String(value));
}
