import type { Status } from "../contract.ts";
import { element, shape } from "./element.ts";

// A shape for each word, so that status never hangs on colour alone.
const SHAPES: Record<Status, { d: string; filled: boolean }> = {
  running: { d: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9z", filled: true },
  finished: { d: "M1.8 6.4l2.8 2.9L10.2 3", filled: false },
  failed: { d: "M2.5 2.5l7 7M9.5 2.5l-7 7", filled: false },
  interrupted: { d: "M2.2 2.2h7.6v7.6H2.2z", filled: true },
  killed: { d: "M6 1.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9zM2.9 9.1l6.2-6.2", filled: false },
};

/** Shape and word. */
export function statusChip(status: Status): HTMLElement {
  const chip = element("span", { class: "ct-status" });
  showStatus(chip, status);
  return chip;
}

/** Changes a chip in place; an unchanged status touches nothing. */
export function showStatus(chip: HTMLElement, status: Status): void {
  if (chip.dataset.status === status) return;
  chip.dataset.status = status;
  const { d, filled } = SHAPES[status] ?? SHAPES.killed;
  const [fill, stroke] = filled ? ["currentColor", "none"] : ["none", "currentColor"];
  const svg = shape("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, shape("path", { d, fill, stroke }));
  svg.style.color = `var(--ct-${status})`;
  chip.replaceChildren(svg, status);
}
