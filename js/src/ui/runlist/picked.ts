import type { RunItem } from "./row.ts";

/** Which runs of the list are selected, by mouse and keyboard as in Jupyter's file browser. */
export class Picked {
  readonly #keys = new Set<string>();
  #at: string | undefined; // where the focus is, and a stretch begins

  constructor(
    box: HTMLElement,
    private readonly items: () => RunItem[],
    private readonly owner: { open(run: RunItem): void; changed(): void },
    signal: AbortSignal,
  ) {
    box.addEventListener("click", (event) => this.#clicked(event), { signal });
    box.addEventListener("dblclick", () => this.#open(), { signal });
    box.addEventListener("keydown", (event) => this.#keyed(event), { signal });
  }

  /** The selected runs, in the order of the list. */
  get runs(): RunItem[] {
    return this.items().filter(({ key }) => this.#keys.has(key));
  }

  clear(): void {
    this.#keys.clear();
    this.#at = undefined;
    this.refresh();
  }

  /** Shows the selection on the rows there are now. */
  refresh(): void {
    const items = this.items();
    const first = items.find(({ key }) => key === this.#at) ?? items[0];
    for (const item of items) {
      item.select(this.#keys.has(item.key));
      item.el.tabIndex = item === first ? 0 : -1;
    }
  }

  focus(): void {
    this.items()
      .find(({ el }) => el.tabIndex === 0)
      ?.el.focus();
  }

  #clicked(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target.closest(".ct-rl-row") : null;
    const item = this.items().find(({ el }) => el === target);
    if (!item) return;
    if (event.shiftKey) this.#stretch(item);
    else if (event.ctrlKey || event.metaKey) this.#flip(item);
    else this.#only(item);
    this.#go(item);
  }

  #keyed(event: KeyboardEvent): void {
    const items = this.items();
    const at = Math.max(
      0,
      items.findIndex(({ key }) => key === this.#at),
    );
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    const item = items[to === undefined ? at : Math.min(items.length - 1, Math.max(0, to))];
    if (!item) return;
    if (to !== undefined) {
      if (event.shiftKey) this.#stretch(item);
      this.#go(item);
    } else if (event.key === " ") this.#flip(item);
    else if (event.key === "Enter") {
      if (this.#keys.size === 0) this.#only(item);
      this.#open();
    } else return;
    event.preventDefault();
  }

  #only(item: RunItem): void {
    this.#keys.clear();
    this.#keys.add(item.key);
    this.#changed();
  }

  #flip(item: RunItem): void {
    if (!this.#keys.delete(item.key)) this.#keys.add(item.key);
    this.#changed();
  }

  #stretch(item: RunItem): void {
    const items = this.items();
    const from = items.findIndex(({ key }) => key === this.#at);
    const to = items.indexOf(item);
    for (const each of items.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1)) {
      this.#keys.add(each.key);
    }
    this.#changed();
  }

  #go(item: RunItem): void {
    this.#at = item.key;
    this.refresh();
    item.el.focus();
  }

  #open(): void {
    const item = this.items().find(({ key }) => key === this.#at) ?? this.items()[0];
    if (item) this.owner.open(item);
  }

  #changed(): void {
    this.refresh();
    this.owner.changed();
  }
}
