import type { GridOwner, GridView } from "./gridview.ts";

/** Which rows a press selects; the last one chosen is where a range begins. */
export class Picking<Row> {
  #anchor: string | null = null;

  constructor(private readonly owner: Pick<GridOwner<Row>, "key" | "select">) {}

  /** Row 0 stands for all rows shown; `through` selects everything since the last one chosen. */
  choose(view: GridView<Row>, row: number, through: boolean): void {
    const keys = view.rows.map((one) => this.owner.key(one));
    if (row === 0) {
      this.owner.select(keys, !keys.every((key) => view.selected.has(key)));
      return;
    }
    const key = keys[row - 1];
    if (key === undefined) return;
    const from = this.#anchor === null ? -1 : keys.indexOf(this.#anchor);
    if (through && from >= 0) {
      const [low, high] = [Math.min(from, row - 1), Math.max(from, row - 1)];
      this.owner.select(keys.slice(low, high + 1), true);
    } else this.owner.select([key], !view.selected.has(key));
    this.#anchor = key;
  }

  /** Shift with an arrow: the row left and the row reached. */
  extend(view: GridView<Row>, ...rows: number[]): void {
    const found = rows.flatMap((row) => view.rows[row - 1] ?? []);
    this.owner.select(
      found.map((row) => this.owner.key(row)),
      true,
    );
  }
}
