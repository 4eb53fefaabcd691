import type { ExecutionShown } from "../../contract.ts";
import { shape } from "../element.ts";

const WIDTH = 72; // px of the margin in which the arcs stand
const DOT = 3.5;

/** Arcs beside a list, from each execution to those that got something from it; of the row in hand they are bright. */
export function arcs(
  box: HTMLElement,
  rows: ReadonlyMap<string, HTMLElement>,
  executions: readonly ExecutionShown[],
  signal: AbortSignal,
): { draw(): void } {
  const svg = shape("svg", { class: "ct-arcs", "aria-hidden": "true", width: WIDTH });
  box.append(svg);

  const draw = (): void => {
    const at = new Map<string, number>();
    for (const { id } of executions) {
      const el = rows.get(id);
      const head = el?.querySelector("summary");
      if (el && head && !el.hidden) at.set(id, el.offsetTop + head.offsetHeight / 2);
    }
    svg.setAttribute("height", String(box.scrollHeight));
    svg.replaceChildren(...executions.flatMap((each) => drawn(each, at)));
  };
  const light = (event: Event): void => {
    const held = event.target instanceof Element ? event.target.closest("li") : null;
    const id = [...rows].find(([, el]) => el === held)?.[0] ?? "";
    for (const arc of svg.querySelectorAll<SVGElement>("path")) {
      arc.classList.toggle("lit", id !== "" && (arc.dataset.from === id || arc.dataset.to === id));
    }
  };
  for (const kind of ["pointerover", "focusin"]) box.addEventListener(kind, light, { signal });
  box.addEventListener("pointerleave", light, { signal });
  const sized = new ResizeObserver(draw); // a row that is opened moves those below it
  sized.observe(box);
  signal.addEventListener("abort", () => sized.disconnect());
  return { draw };
}

function drawn(each: ExecutionShown, at: ReadonlyMap<string, number>): SVGElement[] {
  const y = at.get(each.id);
  if (y === undefined) return [];
  const found = each.got.flatMap(({ execution, names }) => {
    const from = at.get(execution);
    return from === undefined ? [] : [arc(execution, each.id, from, y, names)];
  });
  return [...found, shape("circle", { cx: WIDTH - 8, cy: y, r: DOT, class: each.role })];
}

function arc(from: string, to: string, y0: number, y1: number, names: readonly string[]): SVGElement {
  const x = WIDTH - 8;
  const bulge = Math.min(WIDTH - 12, 10 + Math.sqrt(Math.abs(y1 - y0)) * 3);
  const d = `M${x} ${y0}C${x - bulge} ${y0} ${x - bulge} ${y1} ${x} ${y1}`;
  return shape("path", { d, "data-from": from, "data-to": to }, shape("title", {}, names.join(", ")));
}
