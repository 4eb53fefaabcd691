import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IThemeManager } from "@jupyterlab/apputils";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { drawKeptCharts } from "./keptcharts.ts";
import { VEGALITE, VegaRenderer } from "./vegarenderer.ts";

// Before text/html (50), which in such a bundle is the form for readers without this extension.
const RANK = 40;

/** Draws Altair's charts, which Jupyter would have to load a library for from the network. */
export const vega: JupyterFrontEndPlugin<void> = {
  id: "celltrail:vega",
  description: "Draws Altair charts (Vega-Lite 6) without a network",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [IThemeManager],
  activate(_: JupyterFrontEnd, registry: IRenderMimeRegistry, themes: IThemeManager | null) {
    drawKeptCharts(themes);
    registry.addFactory({
      safe: true,
      mimeTypes: [...VEGALITE],
      defaultRank: RANK,
      createRenderer: ({ resolver }) => new VegaRenderer(resolver, themes),
    });
  },
};
