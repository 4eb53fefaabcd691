import { element } from "../element.ts";

/** One page of a panel: made when it is first looked at. */
export interface Page {
  name: string;
  /** What stands beside the name, such as how many there are. */
  note: string;
  make(): HTMLElement;
}

let bars = 0;

/** Pages of which one is shown; arrows move along the tabs, as WAI-ARIA's pattern for tabs has it. */
export function tabs(pages: readonly Page[], first: string, chosen: (name: string) => void): HTMLElement {
  const bar = element("div", { class: "ct-tabs", role: "tablist" });
  const sheet = element("div", { class: "ct-sheet", role: "tabpanel", tabindex: 0, id: `ct-sheet-${++bars}` });
  const made = new Map<string, HTMLElement>();
  const buttons = pages.map((page) => {
    const note = page.note ? element("span", { class: "ct-muted" }, ` ${page.note}`) : null;
    const tab = element(
      "button",
      { type: "button", role: "tab", id: `${sheet.id}-${page.name}`, "aria-controls": sheet.id },
      page.name,
      note,
    );
    tab.addEventListener("click", () => show(page, true));
    bar.append(tab);
    return tab;
  });

  const show = (page: Page, told: boolean): void => {
    pages.forEach((one, at) => {
      buttons[at]?.setAttribute("aria-selected", String(one === page));
      buttons[at]?.setAttribute("tabindex", one === page ? "0" : "-1");
    });
    sheet.setAttribute("aria-labelledby", `${sheet.id}-${page.name}`);
    const body = made.get(page.name) ?? page.make();
    made.set(page.name, body);
    sheet.replaceChildren(body);
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
  return element("div", {}, bar, sheet);
}
