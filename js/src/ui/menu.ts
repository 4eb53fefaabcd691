import { element } from "./element.ts";
import { openPopup } from "./popup.ts";

/** One thing a menu offers; null is a line between two groups. */
export type Offer = {
  words: string;
  key?: string; // the key that does the same
  on?: boolean; // ticked or not, where it is a choice
  why?: string; // why it cannot be done now
  act(): void;
} | null;

/** A menu under `anchor`: arrows move, Enter acts, Esc closes. */
export function openMenu(anchor: HTMLElement, label: string, offers: readonly Offer[], signal: AbortSignal): void {
  const items: HTMLButtonElement[] = [];
  const item = (offer: Offer, close: () => void): HTMLElement => {
    if (offer === null) return element("hr", { class: "ct-menuline" });
    const role = offer.on === undefined ? "menuitem" : "menuitemcheckbox";
    const made = element(
      "button",
      { type: "button", role, class: "ct-menuitem", tabindex: -1, title: offer.why, "aria-checked": ticked(offer.on) },
      element("span", {}, offer.on ? `✓ ${offer.words}` : offer.words),
      offer.key ? element("kbd", {}, offer.key) : null,
    );
    made.disabled = offer.why !== undefined;
    made.addEventListener("click", () => {
      close();
      offer.act();
    });
    if (!made.disabled) items.push(made);
    return made;
  };
  const menu = openPopup(
    anchor,
    { role: "menu", "aria-label": label },
    ({ close }) => offers.map((offer) => item(offer, close)),
    signal,
  );
  const go = (by: number): void => {
    const root = menu.el.getRootNode() as Document | ShadowRoot;
    const now = items.indexOf(root.activeElement as HTMLButtonElement);
    items[(now + by + items.length) % items.length]?.focus();
  };
  menu.el.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") go(1);
    else if (event.key === "ArrowUp") go(-1);
    else if (event.key === "Home") items[0]?.focus();
    else if (event.key === "End") items.at(-1)?.focus();
    else if (event.key === "Tab") menu.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  items[0]?.focus();
}

function ticked(on: boolean | undefined): string | null {
  return on === undefined ? null : String(on);
}
