const SVG = "http://www.w3.org/2000/svg";
const CURVE = "M1.5 2v12.5h13M4 11.5c2.2-.2 2.6-6.2 4.6-6.2s1.8 3.2 5.4 3.4";

/** A curve between two axes, as the icon of a tab; `size` in CSS pixels. */
export function runsIcon(size: number): { render(container: HTMLElement): void } {
  return { render: (container) => container.replaceChildren(drawn(size)) };
}

function drawn(size: number): Element {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("width", String(size));
  svg.setAttribute("height", String(size));
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("style", "display: block; margin: auto");
  path.setAttribute("d", CURVE);
  path.setAttribute("style", "fill: none; stroke: var(--jp-ui-font-color2); stroke-width: 1.5; stroke-linecap: round");
  svg.append(path);
  return svg;
}
