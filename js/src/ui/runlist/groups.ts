import type { RunRow } from "../../contract.ts";
import { element, say } from "../element.ts";
import type { RunItem } from "./row.ts";

/** What the runs of the list may be grouped by. */
export const GROUPINGS = ["nothing", "project", "cell", "status", "folder", "sweep"] as const;
export type GroupedBy = (typeof GROUPINGS)[number];

const KEPT = "celltrail:list";

interface Kept {
  by: GroupedBy | "";
  closed: string[];
}

interface Group {
  key: string;
  title: string;
}

/** Where a run stands among the groups of a list; `parents` are the runs that others came of. */
export function groupOf(row: RunRow, by: GroupedBy, parents: ReadonlySet<string>): Group {
  const file = row.notebook?.split("/").at(-1) ?? "";
  switch (by) {
    case "project":
      return { key: row.project, title: row.project };
    case "status":
      return { key: row.status, title: row.status };
    case "cell":
      return row.cell
        ? { key: `${row.notebook}#${row.cell}`, title: `cell of ${row.name}${file && `, ${file}`}` }
        : { key: "", title: "of no cell" };
    case "folder": {
      if (row.notebook === null) return { key: "", title: "of no notebook" };
      const folder = row.notebook.split("/").slice(0, -1).join("/");
      return { key: `/${folder}`, title: folder || "the trail's own folder" };
    }
    case "sweep":
      if (row.parent !== null)
        return { key: row.parent, title: row.came_of?.replace(/ @ [^@]*$/, "") ?? "a run that is gone" };
      return parents.has(row.id) ? { key: row.id, title: row.name } : { key: "", title: "of no sweep" };
    case "nothing":
      return { key: "", title: "" };
  }
}

/** A heading with a count that opens and closes what is below it, and there the runs. */
export class Section {
  readonly el = element("section", { role: "group" });
  readonly box = element("div", { class: "ct-rl-list", role: "listbox", "aria-multiselectable": "true" });
  readonly #title = element("button", { type: "button", class: "ct-rl-title" });
  readonly #name = element("span", { class: "ct-rl-group" });
  readonly #count = element("span", { class: "ct-rl-count" });

  constructor(name: string, turned: (open: boolean) => void) {
    this.#title.append(this.#name, this.#count);
    this.el.append(this.#title, this.box);
    this.el.setAttribute("aria-label", name);
    this.box.setAttribute("aria-label", name);
    this.#title.addEventListener("click", () => {
      this.open(this.box.hidden);
      turned(!this.box.hidden);
    });
    this.open(true);
  }

  /** The elements of its runs, unless it is closed. */
  get elements(): Element[] {
    return this.box.hidden ? [] : [...this.box.children];
  }

  open(on: boolean): void {
    this.box.hidden = !on;
    this.#title.setAttribute("aria-expanded", String(on));
  }

  /** @param counted - "12", or "12+" where older ones are not listed yet */
  show(title: string, counted: string, hint: string): void {
    say(this.#name, title);
    say(this.#count, counted);
    this.#title.title = hint;
    this.#title.hidden = this.box.childElementCount === 0;
  }

  /** The runs in this order; an element that is moved loses the focus, so those that stand right stay. */
  place(items: readonly RunItem[]): void {
    items.forEach(({ el }, at) => {
      if (this.box.children[at] !== el) this.box.insertBefore(el, this.box.children[at] ?? null);
    });
  }
}

/** How the list is grouped, which groups are closed, and the sections; kept with the browser. */
export class Groups {
  readonly choice = element(
    "select",
    { "aria-label": "group runs by" },
    ...GROUPINGS.map((by) => element("option", { value: by }, by === "nothing" ? "not grouped" : `by ${by}`)),
  );
  readonly el = element("div");
  readonly #sections = new Map<string, Section>();
  #kept = remembered();

  /** @param start - how it is grouped until something else is chosen */
  constructor(
    start: GroupedBy,
    private readonly turned: () => void,
    private readonly folded: () => void,
    signal: AbortSignal,
  ) {
    this.choice.value = this.#kept.by || start;
    const choose = (): void => {
      this.#keep({ ...this.#kept, by: this.by });
      this.turned();
    };
    this.choice.addEventListener("change", choose, { signal });
  }

  get by(): GroupedBy {
    return GROUPINGS.find((by) => by === this.choice.value) ?? "nothing";
  }

  /** The elements of the runs that can be seen, in their order. */
  get elements(): Element[] {
    const sections = [...this.#sections.values()].map((section) => [section.el as Element, section] as const);
    const of = new Map(sections);
    return [...this.el.children].flatMap((el) => of.get(el)?.elements ?? []);
  }

  /** @param more - whether older runs are not listed yet: then a group may have more than its count */
  show(items: readonly RunItem[], total: string, more: boolean): void {
    const { by } = this;
    const parents = new Set(items.flatMap(({ row }) => row.parent ?? []));
    const found = new Map<string, Group & { items: RunItem[] }>();
    for (const item of items) {
      const group = groupOf(item.row, by, parents);
      const known = found.get(group.key) ?? { ...group, items: [] };
      known.items.push(item);
      found.set(group.key, known);
    }
    const groups = [...found.values()].sort((a, b) => Number(a.key === "") - Number(b.key === ""));
    const names = new Set(groups.map(({ key }) => `${by}:${key}`));
    for (const [name, section] of this.#sections) {
      if (names.has(name)) continue;
      section.el.remove();
      this.#sections.delete(name);
    }
    const hint = more ? "of the runs listed so far; “more” lists older ones" : "";
    groups.forEach((group, at) => {
      const name = `${by}:${group.key}`;
      const section = this.#sections.get(name) ?? this.#make(name, group.title || "runs");
      section.place(group.items);
      if (by === "nothing") section.show(total, "", "");
      else section.show(group.title, `${group.items.length}${more ? "+" : ""}`, hint);
      if (this.el.children[at] !== section.el) this.el.insertBefore(section.el, this.el.children[at] ?? null);
    });
  }

  #make(name: string, title: string): Section {
    const made = new Section(title, (open) => {
      const others = this.#kept.closed.filter((one) => one !== name);
      this.#keep({ ...this.#kept, closed: open ? others : [...others, name] });
      this.folded();
    });
    made.open(!this.#kept.closed.includes(name));
    this.#sections.set(name, made);
    return made;
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    try {
      localStorage.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // a browser that keeps nothing: it holds as long as the page
    }
  }
}

function remembered(): Kept {
  try {
    const { by, closed } = JSON.parse(localStorage.getItem(KEPT) ?? "{}") as Partial<Kept>;
    const names = Array.isArray(closed) ? closed.filter((name) => typeof name === "string") : [];
    return { by: GROUPINGS.find((one) => one === by) ?? "", closed: names };
  } catch {
    return { by: "", closed: [] };
  }
}
