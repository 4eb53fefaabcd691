import { element } from "./element.ts";

export const popupStyles = `
.ct-popup {
  background: var(--ct-surface); border: 1px solid var(--ct-edge); border-radius: 6px; box-shadow: 0 4px 16px rgb(0 0 0 / 22%);
  color: var(--ct-ink); inset: auto; margin: 0; max-height: min(420px, 80vh); max-width: min(420px, 94vw); overflow: auto;
  padding: 6px; position: fixed; z-index: 9;
}
.ct-popup h3 { font-size: 12px; font-weight: 600; margin: 2px 6px 6px; }
.ct-menuitem {
  align-items: baseline; background: transparent; border: 0; border-radius: 4px; cursor: pointer; display: flex; gap: 20px;
  justify-content: space-between; line-height: 1.4; padding: 4px 8px; text-align: start; width: 100%;
}
.ct-menuitem:hover:not(:disabled), .ct .ct-menuitem:focus-visible { background: var(--ct-hover); }
.ct .ct-menuitem:focus-visible { outline-offset: -2px; }
.ct-menuitem:disabled { color: var(--ct-muted); cursor: default; }
.ct-menuitem kbd { color: var(--ct-muted); font: 11px var(--ct-mono); }
.ct-menuline { border: 0; border-top: 1px solid var(--ct-line); margin: 5px 2px; }
`;

const GAP = 3; // px between a popup and what it hangs on

export interface Popup {
  el: HTMLElement;
  close(): void;
}

/**
 * A box in front of everything, under `anchor`. Esc, a press outside and scrolling the page close it; the focus goes
 * back to where it was.
 */
export function openPopup(
  anchor: HTMLElement,
  attributes: Record<string, string>,
  content: (popup: { signal: AbortSignal; close(): void }) => HTMLElement[],
  signal: AbortSignal,
): Popup {
  const root = anchor.getRootNode() as Document | ShadowRoot;
  const held = root.activeElement;
  const end = new AbortController();
  const close = (back = true): void => {
    if (end.signal.aborted) return;
    end.abort();
    el.remove();
    if (back && held instanceof HTMLElement && held.isConnected) held.focus({ preventScroll: true });
  };
  const el = element("div", { popover: "manual", ...attributes });
  el.classList.add("ct-popup");
  el.append(...content({ signal: end.signal, close: () => close() }));
  const listening = { signal: end.signal };
  signal.addEventListener("abort", () => close(false), listening);
  el.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      close();
    },
    listening,
  );
  const outside = (event: Event): void => {
    if (!event.composedPath().includes(el)) close(event.type === "scroll");
  };
  window.addEventListener("pointerdown", outside, { ...listening, capture: true });
  window.addEventListener("wheel", outside, { ...listening, capture: true, passive: true });
  (anchor.closest(".ct") ?? anchor.parentElement ?? document.body).append(el);
  // The top layer: an output area with a scroll bar of its own would clip it.
  el.showPopover?.();
  place(el, anchor);
  return { el, close: () => close() };
}

/** Puts a box in the top layer under what it hangs on, or above it where there is no room. */
export function place(el: HTMLElement, anchor: HTMLElement): void {
  const from = anchor.getBoundingClientRect();
  const { width, height } = el.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const below = from.bottom + GAP;
  const top = below + height > clientHeight && from.top > height ? from.top - height - GAP : below;
  el.style.left = `${Math.max(GAP, Math.min(from.left, clientWidth - width - GAP))}px`;
  el.style.top = `${Math.max(GAP, Math.min(top, clientHeight - height - GAP))}px`;
}
