const SVG = "http://www.w3.org/2000/svg";

type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | null | undefined>;

/** An element with attributes and children. Strings become text nodes, so names from a trail are never markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children);
}

/** An element of a picture in SVG, the same way. */
export function shape(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  return filled(document.createElementNS(SVG, tag) as SVGElement, attributes, children);
}

function filled<Made extends Element>(el: Made, attributes: Attributes, children: Child[]): Made {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) el.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) el.setAttribute(name, String(value));
  }
  for (const child of children) if (child !== null) el.append(child);
  return el;
}

/** Says something, or is out of sight where there is nothing to say. */
export function tell(el: HTMLElement, text: string): void {
  say(el, text);
  el.hidden = text === "";
}

/** Sets text only when it differs: an untouched node keeps the selection and costs no layout. */
export function say(el: HTMLElement, text: string): void {
  if (el.textContent !== text) el.textContent = text;
}
