import type { Content, MediaItem } from "../../contract.ts";
import { element } from "../element.ts";
import { count, formatReal, formatScalar } from "../format.ts";
import { offerDrawing } from "./drawing.ts";
import type { Held } from "./store.ts";
import { TINY } from "./styles.ts";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 320;
const HIGH = 120;

/** One item as an element; text of a run is only ever text. */
export function pieceView(
  { kind, key, step }: MediaItem,
  { content, url, chart }: Held,
  signal: AbortSignal,
): HTMLElement {
  const name = step === null ? key : `${key} at step ${step.toLocaleString("en-US")}`;
  const said = content.said ? element("p", { class: "ct-muted" }, content.said) : null;
  if (url && content.media.startsWith("image/")) return element("div", {}, picture(url, name), said);
  if (url && kind === "audio")
    return element("div", {}, element("audio", { controls: true, src: url, "aria-label": name }));
  if (url && kind === "video")
    return element("div", {}, element("video", { controls: true, src: url, "aria-label": name }));
  if (content.text !== null) return element("pre", { class: "text", tabindex: 0 }, content.text);
  if (content.edges.length > 0) return histogram(name, content);
  if (content.heads.length > 0) return table(name, content);
  if (chart) return drawn(name, key, chart, signal);
  return element("p", { class: "ct-muted" }, content.said || "nothing to be shown");
}

function drawn(name: string, key: string, spec: Record<string, unknown>, signal: AbortSignal): HTMLElement {
  const frame = element("div", { class: "chart", role: "group", "aria-label": name });
  if (offerDrawing({ frame, spec, signal })) return frame;
  const otherwise = `a chart of Altair, which celltrail's extension of Jupyter draws; or: run.items("${key}")[-1]`;
  return element("p", { class: "ct-muted" }, otherwise);
}

/** A picture: a small one pixel by pixel, a large one smoothed where it is made smaller. */
export function picture(url: string, name: string): HTMLImageElement {
  const image = element("img", { src: url, alt: name, decoding: "async" });
  image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth < TINY));
  return image;
}

/** Bars between the edges, which may lie unevenly. */
function histogram(name: string, { counts, edges }: Content): HTMLElement {
  const most = Math.max(...counts, 1e-300);
  const [low = 0, high = 1] = [edges[0], edges.at(-1)];
  const across = (x: number): number => ((x - low) / (high - low || 1)) * WIDE;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
  svg.setAttribute("role", "img");
  const peak = counts.indexOf(Math.max(...counts));
  const [from = low, to = high] = [edges[peak], edges[peak + 1]];
  svg.setAttribute("aria-label", `histogram of ${name}: most between ${formatReal(from)} and ${formatReal(to)}`);
  counts.forEach((each, i) => {
    const [left, right] = [across(edges[i] ?? 0), across(edges[i + 1] ?? 0)];
    const bar = document.createElementNS(SVG, "rect");
    const tall = (each / most) * HIGH;
    for (const [attribute, value] of Object.entries({
      x: left,
      y: HIGH - tall,
      width: Math.max(0.5, right - left),
      height: tall,
    }))
      bar.setAttribute(attribute, value.toFixed(2));
    const title = document.createElementNS(SVG, "title");
    title.textContent = `${formatReal(edges[i] ?? 0)} to ${formatReal(edges[i + 1] ?? 0)}: ${formatScalar(each)}`;
    bar.append(title);
    svg.append(bar);
  });
  const ends = element(
    "p",
    { class: "ends ct-muted" },
    element("span", {}, formatReal(low)),
    element("span", {}, formatReal(high)),
  );
  return element("div", { class: "histogram" }, svg as unknown as HTMLElement, ends);
}

function table(name: string, { heads, rows, more }: Content): HTMLElement {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      ...row.map((value) =>
        element(
          "td",
          { class: typeof value === "number" ? "ct-number" : null },
          value === null ? "" : formatScalar(value),
        ),
      ),
    ),
  );
  const rest = more > 0 ? element("p", { class: "ct-muted" }, `and ${count(more, "more row")}`) : null;
  const shown = element("table", { "aria-label": name }, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "rows", tabindex: 0, role: "region", "aria-label": name }, shown, rest);
}
