import { element, say } from "../element.ts";

/** One page of a panel: made when it is first looked at. */
export interface Page {
  name: string;
  /** What stands beside the name, such as how many there are. */
  note: string;
  /** What it is made of: a page that is renewed stays as it is where this is the same. */
  of: unknown;
  make(): HTMLElement;
}

export interface Tabs {
  el: HTMLElement;
  /** Shows newer pages in place; false where other pages are there now, and nothing was done. */
  renew(pages: readonly Page[]): boolean;
}

let bars = 0;

/** Pages of which one is shown; arrows move along the tabs, as WAI-ARIA's pattern for tabs has it. */
export function tabs(pages: readonly Page[], first: string, chosen: (name: string) => void): Tabs {
  const bar = element("div", { class: "ct-tabs", role: "tablist" });
  const sheet = element("div", { class: "ct-sheet", role: "tabpanel", tabindex: 0, id: `ct-sheet-${++bars}` });
  const made = new Map<string, { of: string; body: HTMLElement }>();
  const notes = pages.map((page) => element("span", { class: "ct-muted" }, page.note && ` ${page.note}`));
  const bodyOf = (page: Page): HTMLElement => {
    const of = JSON.stringify(page.of);
    const known = made.get(page.name);
    if (known?.of === of) return known.body;
    const body = page.make();
    made.set(page.name, { of, body });
    return body;
  };
  let newest = pages;
  let front: string | undefined;
  const buttons = pages.map((page, at) => {
    const tab = element(
      "button",
      { type: "button", role: "tab", id: `${sheet.id}-${page.name}`, "aria-controls": sheet.id },
      page.name,
      notes[at] ?? null,
    );
    tab.addEventListener("click", () => show(newest[at] ?? page, true));
    bar.append(tab);
    return tab;
  });

  const show = (page: Page, told: boolean): void => {
    front = page.name;
    pages.forEach(({ name }, at) => {
      buttons[at]?.setAttribute("aria-selected", String(name === front));
      buttons[at]?.setAttribute("tabindex", name === front ? "0" : "-1");
    });
    sheet.setAttribute("aria-labelledby", `${sheet.id}-${page.name}`);
    const body = bodyOf(page);
    if (sheet.firstChild !== body) sheet.replaceChildren(body);
    if (told) chosen(page.name);
  };

  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: pages.length - 1 }[event.key];
    const next = to === undefined ? undefined : (to + pages.length) % pages.length;
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    buttons[next]?.focus();
    buttons[next]?.click();
  });

  const start = pages.find((page) => page.name === first) ?? pages[0];
  if (start) show(start, false);
  const renew = (now: readonly Page[]): boolean => {
    if (now.length !== pages.length || now.some(({ name }, at) => name !== pages[at]?.name)) return false;
    newest = now;
    now.forEach(({ note }, at) => {
      if (notes[at]) say(notes[at], note && ` ${note}`);
    });
    const shown = now.find(({ name }) => name === front);
    if (shown) show(shown, false);
    return true;
  };
  return { el: element("div", {}, bar, sheet), renew };
}
