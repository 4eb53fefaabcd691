import type { IThemeManager } from "@jupyterlab/apputils";
import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Widget } from "@lumino/widgets";
import { element } from "../ui/element.ts";
import { isDark } from "../ui/theme.ts";
import type { Look, Spec } from "./vegachart.ts";

/** The names under which Vega-Lite 6 comes: ours, which a notebook file may hold, and Altair's own. */
export const VEGALITE = ["application/vnd.vegalite.v6+json", "application/vnd.vegalite.v6.json"] as const;

/** One Altair chart in a cell's output. */
export class VegaRenderer extends Widget implements IRenderMime.IRenderer {
  #model: IRenderMime.IMimeModel | undefined;
  #drawn = new AbortController();

  constructor(
    private readonly resolver: IRenderMime.IResolver | null,
    private readonly themes: IThemeManager | null,
  ) {
    super();
    this.addClass("celltrail-vega");
    this.node.style.cssText = "padding:var(--jp-code-padding,5px);overflow-x:auto";
    themes?.themeChanged.connect(this.#redraw, this);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.#model = model;
    await this.#draw(model);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#drawn.abort();
    this.themes?.themeChanged.disconnect(this.#redraw, this);
    super.dispose();
  }

  #redraw(): void {
    if (this.#model) void this.#draw(this.#model);
  }

  async #draw(model: IRenderMime.IMimeModel): Promise<void> {
    this.#drawn.abort();
    this.#drawn = new AbortController();
    const { signal } = this.#drawn;
    const mime = VEGALITE.find((name) => model.data[name] !== undefined) ?? VEGALITE[0];
    const spec = model.data[mime];
    if (!isObject(spec)) return this.#explain("it is no Vega-Lite object");
    this.#reserve(spec);
    try {
      // Vega is large: a notebook without such a chart never loads it.
      const { drawChart } = await import("./vegachart.ts");
      if (signal.aborted) return;
      const loading = { resolver: this.resolver, trusted: model.trusted };
      const metadata = model.metadata[mime];
      const options = isObject(metadata) ? metadata.embed_options : undefined;
      const frame = element("div");
      this.node.replaceChildren(frame);
      await drawChart(frame, spec, isObject(options) ? options : {}, lookAround(this.node), loading, signal);
      this.node.style.minHeight = "";
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!signal.aborted) this.#explain(error.message);
    }
  }

  /** Room for the chart while it is on its way, so that the cells below do not jump. */
  #reserve(spec: Spec): void {
    const standing = this.node.offsetHeight;
    const height = standing || (typeof spec.height === "number" ? spec.height : 0);
    this.node.style.minHeight = `${height}px`;
  }

  #explain(why: string): void {
    this.node.style.minHeight = "";
    this.node.replaceChildren(element("p", {}, `This chart cannot be drawn: ${why}`));
  }
}

/** The colours of the page around an element. */
export function lookAround(el: HTMLElement): Look {
  const style = getComputedStyle(document.body);
  const value = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const dark = isDark(el);
  return {
    dark,
    surface: value("--jp-layout-color0", dark ? "#111111" : "#ffffff"),
    ink: value("--jp-ui-font-color1", dark ? "#eeeeee" : "#222222"),
    line: value("--jp-border-color2", dark ? "#444444" : "#dddddd"),
    font: value("--jp-ui-font-family", "sans-serif"),
  };
}

function isObject(value: unknown): value is Spec {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
