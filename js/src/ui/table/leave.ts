/**
 * Gives the keyboard back to what holds the panel: the nearest thing around it that can take focus, in Jupyter the
 * cell or the notebook, so that the arrow keys go on from there instead of from the top of the page.
 */
export function leavePanel(inside: HTMLElement): void {
  const root = inside.getRootNode();
  const held = (root as Document | ShadowRoot).activeElement;
  if (held instanceof HTMLElement) held.blur();
  const host = root instanceof ShadowRoot ? root.host : inside;
  const around = host.parentElement?.closest("[tabindex]");
  if (around instanceof HTMLElement) around.focus({ preventScroll: true });
}
