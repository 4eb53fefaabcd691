type Child = Node | string;

const SVG = "http://www.w3.org/2000/svg";

/** An element of a picture with attributes and children. */
export function draw(tag: string, attributes: Record<string, string | number>, ...children: Child[]): SVGElement {
  const el = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, String(value));
  el.append(...children);
  return el;
}
