import { nameOf, type Shown, servedPanel } from "../served/panel.ts";
import { element, say } from "../ui/element.ts";
import { addressOf, shownBy } from "./address.ts";

const KEPT = "celltrail-tabs"; // until the browser's tab is closed

interface Tab {
  shown: Shown;
  el: HTMLElement;
  label: HTMLButtonElement;
  close: HTMLButtonElement;
  sheet: HTMLElement;
  end: AbortController;
}

/** The panels that were opened, one in front; the address names that one, so that it can be linked to. */
export class Tabs {
  readonly el = element("main");
  readonly #bar = element("div", { class: "tabs", role: "tablist", "aria-label": "opened" });
  readonly #none = element("p", { class: "none" }, "Double-click a run to open it, or select some to compare them.");
  readonly #tabs = new Map<string, Tab>();

  constructor() {
    this.el.append(this.#bar, this.#none);
    this.#bar.addEventListener("keydown", (event) => this.#keyed(event));
    window.addEventListener("hashchange", () => this.#follow());
    for (const shown of kept()) this.#add(shown);
    this.#follow();
  }

  /** Brings it to the front, made first where it is not there yet. */
  open(shown: Shown): void {
    if (location.hash === addressOf(shown)) this.#front(shown);
    else {
      this.#add(shown); // the address has no room for its title
      location.hash = addressOf(shown);
    }
  }

  #follow(): void {
    const shown = shownBy(location.hash);
    if (shown) this.#front(shown);
    else this.#show(undefined);
  }

  #front(shown: Shown): void {
    this.#show(this.#add(shown));
  }

  #add(shown: Shown): Tab {
    const name = nameOf(shown);
    const known = this.#tabs.get(name);
    if (known) return known;
    const sheet = element("section", { role: "tabpanel", id: `sheet-${name}`, "aria-labelledby": `tab-${name}` });
    const label = element("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": sheet.id });
    const close = element("button", { type: "button", class: "close", tabindex: -1, "aria-hidden": "true" }, "×");
    const tab: Tab = {
      shown,
      el: element("div", { class: "tab", role: "presentation" }, label, close),
      label,
      close,
      sheet,
      end: new AbortController(),
    };
    label.addEventListener("click", () => this.open(tab.shown));
    close.addEventListener("click", () => this.#close(tab));
    this.#tabs.set(name, tab);
    this.#name(tab, shown.title);
    this.#bar.append(tab.el);
    this.el.append(sheet);
    return tab;
  }

  #name(tab: Tab, title: string): void {
    tab.shown = { ...tab.shown, title };
    say(tab.label, title);
    tab.label.title = `${title}; the Delete key closes it`;
    tab.close.title = `close ${title}`;
    if (!tab.sheet.hidden) document.title = `${title} · celltrail`;
    this.#keep();
  }

  #show(front: Tab | undefined): void {
    for (const tab of this.#tabs.values()) {
      tab.el.classList.toggle("front", tab === front);
      tab.label.setAttribute("aria-selected", String(tab === front));
      tab.label.tabIndex = tab === front ? 0 : -1;
      tab.sheet.hidden = tab !== front;
    }
    this.#none.hidden = front !== undefined;
    this.#bar.hidden = this.#tabs.size === 0;
    document.title = front ? `${front.shown.title} · celltrail` : "Runs · celltrail";
    // Made when it is first seen: a panel measures itself.
    if (!front || front.sheet.hasChildNodes()) return;
    const visible = (): boolean => !front.sheet.hidden && !document.hidden;
    servedPanel(front.sheet, front.shown, visible, front.end.signal, (title) => this.#name(front, title));
  }

  #close(tab: Tab): void {
    const tabs = [...this.#tabs.values()];
    const at = tabs.indexOf(tab);
    const next = tabs[at + 1] ?? tabs[at - 1];
    const wasFront = !tab.sheet.hidden;
    tab.end.abort();
    tab.el.remove();
    tab.sheet.remove();
    this.#tabs.delete(nameOf(tab.shown));
    this.#keep();
    if (!wasFront) return;
    if (next) this.open(next.shown);
    else location.hash = "";
    next?.label.focus();
  }

  #keyed(event: KeyboardEvent): void {
    const tabs = [...this.#tabs.values()];
    const at = tabs.findIndex(({ label }) => label === event.target);
    const here = tabs[at];
    if (!here) return;
    if (event.key === "Delete") this.#close(here);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    next.label.focus();
    this.open(next.shown);
  }

  #keep(): void {
    sessionStorage.setItem(KEPT, JSON.stringify([...this.#tabs.values()].map(({ shown }) => shown)));
  }
}

/** Those that were open before the page was loaded anew. */
function kept(): Shown[] {
  const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]") as Shown[];
  return found.filter((shown) => shownBy(addressOf(shown)) && typeof shown.title === "string");
}
