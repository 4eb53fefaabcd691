import type { Content, MediaItem } from "../../contract.ts";
import { element, shape } from "../element.ts";
import { count, formatReal, formatScalar } from "../format.ts";
import { offerDrawing } from "./drawing.ts";
import type { Held } from "./store.ts";
import { TINY } from "./styles.ts";

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
  const peak = counts.indexOf(Math.max(...counts));
  const [from = low, to = high] = [edges[peak], edges[peak + 1]];
  const said = `histogram of ${name}: most between ${formatReal(from)} and ${formatReal(to)}`;
  const svg = shape("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": said });
  counts.forEach((each, i) => {
    const [left, right] = [across(edges[i] ?? 0), across(edges[i + 1] ?? 0)];
    const tall = (each / most) * HIGH;
    const [x, y, height] = [left, HIGH - tall, tall].map((value) => value.toFixed(2));
    const width = Math.max(0.5, right - left).toFixed(2);
    const told = `${formatReal(edges[i] ?? 0)} to ${formatReal(edges[i + 1] ?? 0)}: ${formatScalar(each)}`;
    svg.append(shape("rect", { x, y, width, height }, shape("title", {}, told)));
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
