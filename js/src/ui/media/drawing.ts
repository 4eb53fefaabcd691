/** A chart of Vega-Lite that somebody with the library may draw: the panel itself brings none. */
export interface Drawing {
  frame: HTMLElement;
  spec: Record<string, unknown>;
  signal: AbortSignal;
}

const EVENT = "celltrail:draw";

/** Whether somebody in this page draws the chart into its frame. */
export function offerDrawing(drawing: Drawing): boolean {
  return !document.dispatchEvent(new CustomEvent(EVENT, { detail: drawing, cancelable: true }));
}

/** Draws what panels of this page offer. */
export function takeDrawings(draw: (drawing: Drawing) => void): void {
  document.addEventListener(EVENT, (event) => {
    event.preventDefault();
    draw((event as CustomEvent<Drawing>).detail);
  });
}
