import type { IThemeManager } from "@jupyterlab/apputils";
import { element } from "../ui/element.ts";
import { type Drawing, takeDrawings } from "../ui/media/drawing.ts";
import { lookAround } from "./vegarenderer.ts";

/** Draws the Altair charts that runs kept, in the panels that show them; they load nothing. */
export function drawKeptCharts(themes: IThemeManager | null): void {
  takeDrawings((drawing) => {
    let drawn = new AbortController();
    const redraw = (): void => {
      drawn.abort();
      drawn = new AbortController();
      void draw(drawing, drawn.signal);
    };
    themes?.themeChanged.connect(redraw);
    drawing.signal.addEventListener("abort", () => {
      themes?.themeChanged.disconnect(redraw);
      drawn.abort();
    });
    redraw();
  });
}

async function draw({ frame, spec }: Drawing, signal: AbortSignal): Promise<void> {
  try {
    const { drawChart } = await import("./vegachart.ts");
    if (signal.aborted) return;
    const inside = element("div");
    frame.replaceChildren(inside);
    // the menu of a chart has styles of its own, which do not reach into a panel
    await drawChart(inside, spec, { actions: false }, lookAround(frame), { resolver: null, trusted: false }, signal);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (!signal.aborted) frame.replaceChildren(element("p", {}, `This chart cannot be drawn: ${error.message}`));
  }
}
