/** The lazy part: Vega, Vega-Lite and what draws them. Nothing else may import this file but by `import()`. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { type Loader, loader as vegaLoader } from "vega";
import embed, { type Config, type EmbedOptions, type VisualizationSpec } from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";

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

/** Draws a chart into an element until the signal aborts. */
export async function drawChart(
  el: HTMLElement,
  spec: Spec,
  asked: Spec,
  look: Look,
  loading: Loading,
  signal: AbortSignal,
): Promise<void> {
  // vega-embed takes options from the chart's usermeta, among them the one that lets code be compiled
  const { usermeta: _, ...chart } = spec;
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
  const drawing = el.querySelector<SVGElement>("svg.marks");
  // scaled down with its text where the cell is narrow; Vega finds the pointer through the same scale
  if (drawing) drawing.style.cssText += "max-width:100%;height:auto";
  if (signal.aborted) result.finalize();
  else signal.addEventListener("abort", () => result.finalize(), { once: true });
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
    style: { "guide-label": { fill: ink }, "guide-title": { fill: ink }, "group-title": { fill: ink } },
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
