import { css } from "./css.ts";
import { element } from "./element.ts";
import { type Theme, watchTheme } from "./theme.ts";

export interface Root {
  /** The panel draws into this; it lives in a shadow root, so neither side's styles reach the other. */
  el: HTMLElement;
  /** Called at once with the present colours and again whenever they change. */
  themed(hear: (theme: Theme) => void): void;
}

/** The panel's own corner of the page: styles, colours, and keys that do not leak into the notebook. */
export function panelRoot(into: HTMLElement, styles: string, kind: string, signal: AbortSignal): Root {
  const host = element("div", { class: "celltrail", "data-kind": kind, "data-lm-suppress-shortcuts": "true" });
  const shadow = host.attachShadow({ mode: "open" });
  const el = element("div", { class: "ct" });
  shadow.append(element("style", {}, css, styles), el);
  into.append(host);

  // In command mode Jupyter acts on bare letters: `dd` typed here must not delete the cell.
  host.addEventListener("keydown", keepKey, { signal });

  const hearing: ((theme: Theme) => void)[] = [];
  let theme: Theme | undefined;
  const changed = (now: Theme): void => {
    theme = now;
    for (const hear of hearing) hear(now);
  };
  watchTheme(host, el, changed, signal);
  signal.addEventListener("abort", () => host.remove(), { once: true });
  return {
    el,
    themed(hear) {
      hearing.push(hear);
      if (theme) hear(theme);
    },
  };
}

function keepKey(event: KeyboardEvent): void {
  event.stopPropagation();
  const held = event.composedPath()[0];
  if (event.key === "Escape" && held instanceof HTMLElement) held.blur();
}
