/** The lazy part: Vega, Vega-Lite and what draws them. Nothing else may import this file but by `import()`. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { type Loader, type View, loader as vegaLoader } from "vega";
import embed, { type Config, type EmbedOptions, type VisualizationSpec } from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";
import { element } from "../ui/element.ts";

export type Spec = Record<string, unknown>;

/** The colours of the page around the chart. */
export interface Look {
  dark: boolean;
  surface: string;
  ink: string;
  line: string;
  font: string;
}

/** Where a chart's data may come from. */
interface Loading {
  resolver: IRenderMime.IResolver | null;
  trusted: boolean;
}

/** What a chart may ask of its frame; all else, such as the address of an editor or a style sheet, is not its own. */
const ALLOWED = ["renderer", "width", "height", "padding", "scaleFactor", "downloadFileName"] as const;

// Beside the chart stands the button of its menu.
const MENU_PX = 38;
const LEAST_PX = 120;
// Below this scale text cannot be read; the output scrolls instead.
const READABLE = 0.6;

/** Draws a chart into an element until the signal aborts. */
export async function drawChart(
  frame: HTMLElement,
  spec: Spec,
  asked: Spec,
  look: Look,
  loading: Loading,
  signal: AbortSignal,
): Promise<void> {
  // vega-embed takes options from the chart's usermeta, among them the one that lets code be compiled
  const { usermeta: _, ...chart } = spec;
  // in a chart as wide as its cell ("container") Vega looks for the width of a block
  const el = element("div", { style: chart.width === "container" ? "display:block" : "max-width:100%" });
  frame.append(el);
  const result = await embed(el, chart as unknown as VisualizationSpec, {
    renderer: "svg",
    scaleFactor: 2,
    downloadFileName: "chart",
    ...Object.fromEntries(ALLOWED.filter((name) => name in asked).map((name) => [name, asked[name]])),
    mode: "vega-lite",
    ast: true,
    expr: expressionInterpreter,
    actions: asked.actions === false ? false : { export: true, source: false, compiled: false, editor: false },
    tooltip: { theme: look.dark ? "dark" : "light" },
    config: hasGround(chart) ? {} : config(look),
    loader: guarded(loading),
  } satisfies EmbedOptions);
  if (signal.aborted) return result.finalize();
  signal.addEventListener("abort", () => result.finalize(), { once: true });
  const drawing = el.querySelector<SVGSVGElement>("svg.marks");
  if (!drawing) return;
  // what has no single width shrinks with its text; Vega finds the pointer through the same scale
  drawing.style.cssText += "max-width:100%;height:auto";
  if (typeof chart.width === "number" && ("mark" in chart || "layer" in chart)) {
    shrink(frame, drawing, result.view, chart.width, signal);
  } else {
    drawing.style.minWidth = `${READABLE * drawing.width.baseVal.value}px`;
  }
}

/** Keeps a chart within its cell, at most as wide as it was made. */
function shrink(frame: HTMLElement, drawing: SVGSVGElement, view: View, wanted: number, signal: AbortSignal): void {
  const observer = new ResizeObserver(() => {
    if (frame.clientWidth === 0) return;
    const axes = drawing.width.baseVal.value - view.width();
    const width = Math.max(LEAST_PX, Math.min(wanted, frame.clientWidth - MENU_PX - axes));
    if (Math.abs(width - view.width()) >= 1) void view.width(width).runAsync();
  });
  observer.observe(frame);
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
}

/** Whether the chart brings its own background, for which it must have chosen its other colours. */
function hasGround(spec: Spec): boolean {
  const own = spec.config as Spec | undefined;
  return spec.background !== undefined || own?.background !== undefined;
}

function config({ surface, ink, line, font }: Look): Config {
  return {
    background: surface,
    font,
    title: { color: ink, subtitleColor: ink },
    style: {
      "guide-label": { fill: ink },
      "guide-title": { fill: ink },
      "group-title": { fill: ink },
      // celltrail's own: what stands behind words that lines run through
      ground: { fill: surface, stroke: surface, strokeWidth: 4 },
    },
    axis: { domainColor: line, gridColor: line, tickColor: line },
    view: { stroke: line },
    rule: { color: ink },
    text: { color: ink },
  };
}

/** Loads what a chart refers to, files beside the notebook included; for a notebook not trusted, nothing. */
function guarded({ resolver, trusted }: Loading): Loader {
  const plain = vegaLoader({ http: { credentials: "same-origin" } });
  const sanitize: Loader["sanitize"] = async (uri, options) => {
    if (!trusted) throw new Error("the notebook is not trusted, so its charts load nothing");
    const local = resolver?.isLocal?.(uri) ?? false;
    const place = local && resolver ? await resolver.getDownloadUrl(await resolver.resolveUrl(uri)) : uri;
    return plain.sanitize(place, options);
  };
  return { ...plain, sanitize };
}
