import { assert } from "../../assert.ts";
import { element } from "../element.ts";
import { type GridColumn, type GridOwner, type GridView, nothing, put, type Spot, sameColumns } from "./gridview.ts";
import { dragHeads } from "./headdrag.ts";
import { moved, type Place } from "./keys.ts";
import { sortedAs } from "./order.ts";
import { Picking } from "./picking.ts";
import { columnSpan, edges, rowSpan, scrolledTo } from "./window.ts";

export const ROW_HEIGHT = 28;
export const HEAD_HEIGHT = 42;
// A page that is nothing but a table says how tall that may be.
export const TALLEST = "var(--celltrail-tall, 420px)";

interface Line {
  el: HTMLElement;
  cells: Map<number, HTMLElement>;
  seen: number;
}

/** An ARIA grid that draws only what is on screen: rows of one height, columns of given widths. */
export class Grid<Row> {
  readonly el: HTMLElement;
  readonly #owner: GridOwner<Row>;
  readonly #head: Line;
  readonly #body: HTMLElement;
  readonly #lines = new Map<string, Line>();
  readonly #picking: Picking<Row>;
  #view: GridView<Row> = nothing();
  #lefts: number[] = [0];
  #active: Place = { row: 1, column: 1 };
  #seen = 0;
  #frame = 0;

  constructor(owner: GridOwner<Row>, signal: AbortSignal) {
    this.#owner = owner;
    this.#picking = new Picking(owner);
    this.#head = {
      el: element("div", { role: "row", class: "ct-row ct-head", "aria-rowindex": 1 }),
      cells: new Map(),
      seen: 0,
    };
    this.#body = element("div", { role: "rowgroup", class: "ct-body" });
    this.el = element(
      "div",
      { role: "grid", class: "ct-grid", "aria-label": owner.label, "aria-multiselectable": "true" },
      element("div", { role: "rowgroup", class: "ct-headgroup" }, this.#head.el),
      this.#body,
    );
    this.el.addEventListener("scroll", () => this.#soon(), { signal, passive: true });
    this.el.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.el.addEventListener("mousedown", (event) => this.#point(event), { signal });
    this.el.addEventListener("click", (event) => this.#click(event), { signal });
    this.el.addEventListener("dblclick", (event) => this.#twice(event), { signal });
    this.el.addEventListener("contextmenu", (event) => this.#context(event), { signal });
    dragHeads(this.#head.el, owner, signal);
    const sizes = new ResizeObserver(() => this.#soon());
    sizes.observe(this.el);
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      cancelAnimationFrame(this.#frame);
    });
  }

  show(view: GridView<Row>): void {
    const before = { row: this.#view.rows[this.#active.row - 1], column: this.#view.columns[this.#active.column]?.id };
    const held = this.#focused();
    const same = sameColumns(view, this.#view);
    this.#view = view;
    this.#lefts = edges(view.columns.map((column) => column.width));
    if (!same) this.#forget();
    this.#seen += 1;
    this.#keepActive(before);
    this.el.setAttribute("role", view.tree ? "treegrid" : "grid");
    this.el.setAttribute("aria-rowcount", String(view.rows.length + 1));
    this.el.setAttribute("aria-colcount", String(view.columns.length));
    this.el.style.minHeight = `min(${TALLEST}, ${HEAD_HEIGHT + view.reserve * ROW_HEIGHT}px)`;
    this.#body.style.height = `${Math.max(0, view.rows.length * ROW_HEIGHT - 1)}px`;
    this.#body.style.width = this.#head.el.style.width = `${this.#lefts.at(-1)}px`;
    this.#body.hidden = view.rows.length === 0;
    if (!this.#draw()) this.#soon();
    // Cells that were made anew, or moved, have lost the focus on the way.
    if (held && !this.#focused()) this.#cellAt(this.#active)?.focus({ preventScroll: true });
  }

  /** The heads say that the rows are to stand in this order, which come later. */
  order(sort: readonly string[]): void {
    this.#view = { ...this.#view, sort };
    this.#head.seen = -1;
    this.#fillLine(this.#head, this.#columnsToDraw(), null, 0);
  }

  focus(): void {
    this.#cellAt(this.#active)?.focus();
  }

  /** The same cell stays the active one when rows are sorted, filtered or added and columns come or go. */
  #keepActive(before: { row: Row | undefined; column: string | undefined }): void {
    const { rows, columns } = this.#view;
    const key = before.row === undefined ? undefined : this.#owner.key(before.row);
    const row = key === undefined ? -1 : rows.findIndex((one) => this.#owner.key(one) === key);
    const column = columns.findIndex((one) => one.id === before.column);
    this.#active = {
      row: Math.min(row < 0 ? this.#active.row : row + 1, rows.length),
      column: column < 0 ? Math.max(0, Math.min(this.#active.column, columns.length - 1)) : column,
    };
  }

  #soon(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** Whether there is room to draw: what was drawn before stays in a grid that may be hidden for a moment only. */
  #draw(): boolean {
    if (this.el.clientWidth === 0) return false;
    const { rows } = this.#view;
    const span = rowSpan(rows.length, ROW_HEIGHT, this.el.scrollTop, this.el.clientHeight - HEAD_HEIGHT);
    const columns = this.#columnsToDraw();
    this.#fillLine(this.#head, columns, null, 0);
    const wanted = new Map<string, number>();
    for (let at = span.first; at < span.end; at++) this.#want(wanted, at);
    if (this.#view.sticky) this.#want(wanted, 0);
    // The active row stays in the document when it is scrolled away: its focus must not fall back to the page.
    if (this.#active.row > 0) this.#want(wanted, this.#active.row - 1);
    // Lines that went out of view are written anew for those that came into it.
    const free: Line[] = [];
    for (const [key, line] of this.#lines) {
      if (wanted.has(key)) continue;
      free.push(line);
      this.#lines.delete(key);
    }
    const order = [...wanted].sort((a, b) => a[1] - b[1]);
    order.forEach(([key, at], place) => {
      this.#drawRow(key, at, place, columns, free);
    });
    for (const line of free) line.el.remove();
    this.#owner.drawn(
      span.first,
      span.end,
      columns.flatMap((at) => this.#view.columns[at]?.id ?? []),
    );
    return true;
  }

  #want(wanted: Map<string, number>, at: number): void {
    const row = this.#view.rows[at];
    if (row !== undefined) wanted.set(this.#owner.key(row), at);
  }

  #columnsToDraw(): number[] {
    const { pinned } = this.#view;
    const span = columnSpan(this.#lefts, pinned, this.el.scrollLeft, this.el.clientWidth);
    const found = new Set<number>([this.#active.column]);
    for (let at = 0; at < Math.min(pinned, this.#view.columns.length); at++) found.add(at);
    for (let at = span.first; at < span.end; at++) found.add(at);
    return [...found].sort((a, b) => a - b);
  }

  #drawRow(key: string, at: number, place: number, columns: number[], free: Line[]): void {
    const row = this.#view.rows[at];
    assert(row !== undefined, "a row to draw exists");
    let line = this.#lines.get(key);
    if (!line) {
      line = free.shift() ?? { el: element("div", { role: "row", class: "ct-row" }), cells: new Map(), seen: 0 };
      line.seen = 0;
      this.#lines.set(key, line);
    }
    line.el.setAttribute("aria-rowindex", String(at + 2));
    line.el.setAttribute("aria-selected", String(this.#view.selected.has(key)));
    this.#stand(line.el, row, at);
    line.el.dataset.key = key;
    if (this.#body.children[place] !== line.el) this.#body.insertBefore(line.el, this.#body.children[place] ?? null);
    this.#fillLine(line, columns, row, at + 1);
  }

  #stand(el: HTMLElement, row: Row, at: number): void {
    const { mark, title, level, expanded } = this.#owner.standing(row);
    const sticks = this.#view.sticky && at === 0;
    el.classList.toggle("ct-sticks", sticks);
    el.style.top = `${sticks ? HEAD_HEIGHT : at * ROW_HEIGHT}px`;
    el.title = title;
    el.dataset.mark = mark;
    put(el, "aria-level", level);
    put(el, "aria-expanded", expanded);
  }

  /** Cells in view are made, others removed; contents are written again only after `show`. */
  #fillLine(line: Line, columns: number[], row: Row | null, rowIndex: number): void {
    const fresh = line.seen !== this.#seen;
    line.seen = this.#seen;
    for (const [at, cell] of line.cells) {
      if (columns.includes(at)) continue;
      cell.remove();
      line.cells.delete(at);
    }
    columns.forEach((at, place) => {
      const column = this.#view.columns[at];
      if (!column) return;
      let cell = line.cells.get(at);
      const made = cell === undefined;
      if (!cell) {
        cell = this.#makeCell(column, at, row === null);
        line.cells.set(at, cell);
      }
      if (line.el.children[place] !== cell) line.el.insertBefore(cell, line.el.children[place] ?? null);
      if (made || fresh) this.#fillCell(cell, column, row, at);
    });
    this.#mark(line, rowIndex);
  }

  #makeCell(column: GridColumn<Row>, at: number, head: boolean): HTMLElement {
    const cell = element("div", {
      role: head ? "columnheader" : column.role,
      class: this.#classOf(column, at),
      "aria-colindex": at + 1,
      "data-column": column.id,
      "data-moves": head && column.moves,
      tabindex: -1,
    });
    cell.style.left = `${this.#lefts[at]}px`;
    cell.style.width = `${column.width}px`;
    return cell;
  }

  #classOf({ right }: GridColumn<Row>, at: number): string {
    const { pinned } = this.#view;
    const pin = at >= pinned ? "" : at === pinned - 1 ? " ct-pinned ct-lastpinned" : " ct-pinned";
    return `ct-cell${right ? " ct-right" : ""}${pin}`;
  }

  #fillCell(cell: HTMLElement, column: GridColumn<Row>, row: Row | null, at: number): void {
    cell.replaceChildren();
    if (row !== null) {
      cell.className = this.#classOf(column, at);
      cell.title = "";
      column.fill(cell, row);
      return;
    }
    column.head(cell);
    if (column.moves) cell.append(element("span", { class: "ct-grip", "aria-hidden": "true" }));
    if (!column.sorts) return;
    const sorted = sortedAs(this.#view.sort, column.id);
    cell.setAttribute("aria-sort", sorted === null ? "none" : sorted.descending ? "descending" : "ascending");
    cell.dataset.place = sorted !== null && this.#view.sort.length > 1 ? String(sorted.place) : "";
  }

  /** Roving tabindex: one cell of the whole grid can be reached with Tab. */
  #mark(line: Line, rowIndex: number): void {
    for (const [at, cell] of line.cells) {
      cell.tabIndex = rowIndex === this.#active.row && at === this.#active.column ? 0 : -1;
    }
  }

  #focused(): boolean {
    const root = this.el.getRootNode() as Document | ShadowRoot;
    return root.activeElement !== null && this.el.contains(root.activeElement);
  }

  #cellAt(place: Place): HTMLElement | undefined {
    const row = this.#view.rows[place.row - 1];
    const line = place.row === 0 ? this.#head : row === undefined ? undefined : this.#lines.get(this.#owner.key(row));
    return line?.cells.get(place.column);
  }

  #go(place: Place): void {
    this.#active = place;
    const { el } = this;
    if (place.row > 0) {
      const top = (place.row - 1) * ROW_HEIGHT;
      const before = this.#view.sticky && place.row > 1 ? ROW_HEIGHT : 0;
      el.scrollTop = scrolledTo(top, top + ROW_HEIGHT, el.scrollTop, el.clientHeight - HEAD_HEIGHT, before);
    }
    const pinned = Math.min(this.#view.pinned, this.#lefts.length - 1);
    if (place.column >= pinned) {
      const [start = 0, end = 0] = [this.#lefts[place.column], this.#lefts[place.column + 1]];
      el.scrollLeft = scrolledTo(start, end, el.scrollLeft, el.clientWidth, this.#lefts[pinned] ?? 0);
    }
    this.#draw();
    this.focus();
  }

  #key(event: KeyboardEvent): void {
    // Alt belongs to the keys that change things; the arrows alone move.
    const plain = !event.altKey;
    const { rows, columns } = this.#view;
    const page = Math.max(1, Math.floor((this.el.clientHeight - HEAD_HEIGHT) / ROW_HEIGHT) - 1);
    const size = { rows: rows.length + 1, columns: columns.length, page };
    const next = plain ? moved(this.#active, event.key, event.ctrlKey || event.metaKey, size) : null;
    if (next) {
      if (event.shiftKey && next.row > 0 && next.row !== this.#active.row)
        this.#picking.extend(this.#view, this.#active.row, next.row);
      this.#go(next);
    } else if (event.key === " ") this.#picking.choose(this.#view, this.#active.row, event.shiftKey);
    else if (event.key === "Enter" && this.#active.row === 0) this.#press(this.#active.column, event.shiftKey);
    else {
      const spot = this.#spotAt(this.#active);
      if (!spot || !this.#special(event, spot)) return;
    }
    event.preventDefault();
  }

  #special(event: KeyboardEvent, spot: Spot<Row>): boolean {
    if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) this.#owner.menu(spot);
    else if (event.key === "Enter" && spot.row !== null && this.#owner.standing(spot.row).expanded !== null)
      this.#owner.toggle(spot.row);
    else return this.#owner.keyed(event, spot);
    return true;
  }

  #spotAt(place: Place): Spot<Row> | null {
    const cell = this.#cellAt(place);
    const column = this.#view.columns[place.column];
    const row = place.row === 0 ? null : this.#view.rows[place.row - 1];
    return cell && column && row !== undefined ? { row, column: column.id, cell } : null;
  }

  #press(column: number, several: boolean): void {
    const found = this.#view.columns[column];
    if (found?.sorts) this.#owner.press(found.id, several);
    else if (column === 0) this.#picking.choose(this.#view, 0, false);
  }

  #placeOf(event: MouseEvent): Place | null {
    const cell = (event.target as Element | null)?.closest?.("[data-column]");
    const row = cell?.closest('[role="row"]');
    if (!cell || !row) return null;
    return {
      row: Number(row.getAttribute("aria-rowindex")) - 1,
      column: Number(cell.getAttribute("aria-colindex")) - 1,
    };
  }

  /** Shift with the mouse means a range here, not a stretch of selected text. */
  #point(event: MouseEvent): void {
    const place = this.#placeOf(event);
    if (place && (event.shiftKey || place.row === 0 || place.column === 0)) event.preventDefault();
  }

  #twice(event: MouseEvent): void {
    const place = this.#placeOf(event);
    const spot = place && place.row > 0 && place.column > 0 ? this.#spotAt(place) : null;
    if (spot) this.#owner.open(spot);
  }

  #context(event: MouseEvent): void {
    const place = this.#placeOf(event);
    const spot = place && this.#spotAt(place);
    if (!spot) return;
    event.preventDefault();
    event.stopPropagation();
    this.#activate(place);
    this.#owner.menu(spot);
  }

  #activate(place: Place): void {
    this.#active = place;
    this.#draw();
    this.#cellAt(place)?.focus({ preventScroll: true });
  }

  #click(event: MouseEvent): void {
    const place = this.#placeOf(event);
    if (!place) return;
    const target = event.target as Element;
    this.#activate(place);
    const spot = this.#spotAt(place);
    if (target.closest(".ct-grip")) return;
    if (target.closest(".ct-more") && spot) this.#owner.menu(spot);
    else if (place.row === 0) this.#press(place.column, event.shiftKey);
    else if (place.column === 0) this.#picking.choose(this.#view, place.row, event.shiftKey);
    else if (place.column === 1 && spot?.row && this.#owner.standing(spot.row).expanded !== null)
      this.#owner.toggle(spot.row);
  }

  #forget(): void {
    for (const line of [this.#head, ...this.#lines.values()]) {
      line.el.replaceChildren();
      line.cells.clear();
    }
    for (const line of this.#lines.values()) line.el.remove();
    this.#lines.clear();
  }
}
