const THRESHOLD = 5; // px before a press becomes a drag

export interface HeadDrag {
  resize(column: string, width: number): void;
  move(column: string, before: string | null): void;
}

/**
 * Columns by mouse: the right edge of a heading is drawn to widen it, the heading itself to put it elsewhere.
 *
 * The keyboard has keys of its own for both, so a screen reader misses nothing here.
 */
export function dragHeads(head: HTMLElement, owner: HeadDrag, signal: AbortSignal): void {
  head.addEventListener(
    "pointerdown",
    (event) => {
      const target = event.target as Element;
      const cell = target.closest<HTMLElement>("[data-column]");
      const id = cell?.dataset.column;
      if (!cell || !id || event.button !== 0 || target.closest("button")) return;
      if (target.closest(".ct-grip")) drawEdge(cell, id, event, owner);
      else if (cell.dataset.moves !== undefined) carry(head, cell, id, event, owner);
    },
    { signal },
  );
}

function drawEdge(cell: HTMLElement, id: string, from: PointerEvent, owner: HeadDrag): void {
  from.preventDefault();
  const wide = cell.offsetWidth;
  let width = wide;
  follow(
    cell,
    from,
    (event) => {
      width = wide + event.clientX - from.clientX;
      owner.resize(id, width);
    },
    () => {},
  );
}

function carry(head: HTMLElement, cell: HTMLElement, id: string, from: PointerEvent, owner: HeadDrag): void {
  let over: { cell: HTMLElement; after: boolean } | null = null;
  let moving = false;
  const unmark = (): void => {
    over?.cell.removeAttribute("data-drop");
  };
  follow(
    cell,
    from,
    (event) => {
      moving ||= Math.abs(event.clientX - from.clientX) > THRESHOLD;
      if (!moving) return;
      cell.dataset.carried = "";
      unmark();
      over = under(head, event.clientX);
      if (over) over.cell.dataset.drop = over.after ? "after" : "before";
    },
    (dropped) => {
      unmark();
      delete cell.dataset.carried;
      if (!moving) return;
      swallowClick(cell);
      if (!dropped || !over) return;
      const { cell: target, after } = over;
      const before = after ? nextOf(head, target) : target;
      owner.move(id, before?.dataset.column ?? null);
    },
  );
}

/** The heading under the pointer, and on which half of it. */
function under(head: HTMLElement, x: number): { cell: HTMLElement; after: boolean } | null {
  // Pinned headings lie over the others.
  const cells = [...head.querySelectorAll<HTMLElement>("[data-column]")].reverse();
  const found =
    cells.find((cell) => cell.classList.contains("ct-pinned") && within(cell, x)) ??
    cells.find((cell) => within(cell, x));
  if (!found) return null;
  const { left, width } = found.getBoundingClientRect();
  return { cell: found, after: x > left + width / 2 };
}

function within(cell: HTMLElement, x: number): boolean {
  const { left, right } = cell.getBoundingClientRect();
  return x >= left && x < right;
}

function nextOf(head: HTMLElement, cell: HTMLElement): HTMLElement | null {
  const wanted = Number(cell.getAttribute("aria-colindex")) + 1;
  return head.querySelector<HTMLElement>(`[aria-colindex="${wanted}"]`);
}

/** The click that ends a drag sorts nothing. */
function swallowClick(cell: HTMLElement): void {
  const stop = (event: Event): void => event.stopPropagation();
  const root = cell.closest('[role="rowgroup"]') ?? cell;
  root.addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => root.removeEventListener("click", stop, { capture: true }), 0);
}

function follow(
  cell: HTMLElement,
  from: PointerEvent,
  moved: (event: PointerEvent) => void,
  ended: (dropped: boolean) => void,
): void {
  const end = new AbortController();
  const stop = (dropped: boolean): void => {
    end.abort();
    ended(dropped);
  };
  const listening = { signal: end.signal };
  const mine = (event: PointerEvent): boolean => event.pointerId === from.pointerId;
  const view = cell.ownerDocument;
  view.addEventListener("pointermove", (event) => mine(event) && moved(event), listening);
  view.addEventListener("pointerup", (event) => mine(event) && stop(true), listening);
  view.addEventListener("pointercancel", (event) => mine(event) && stop(false), listening);
}
