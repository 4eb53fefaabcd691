import type { Detail, Piece } from "../../contract.ts";
import { element } from "../element.ts";

const PICTURES = /^image\/(png|jpeg|gif)$/;

/** What the cell showed, in the order it was shown; never markup of the run's. */
export function outputsView(detail: Detail): HTMLElement {
  const pieces = detail.outputs.map(pieceView);
  // The error stands among the outputs too, but a run that no cell recorded has its traceback only.
  const told = detail.outputs.some((piece) => piece.kind === "error");
  if (detail.traceback && !told) pieces.push(element("pre", { class: "ct-text ct-bad" }, plain(detail.traceback)));
  return element("div", { class: "ct-outputs" }, ...pieces);
}

/** One thing that a cell showed. */
export function pieceView(piece: Piece): HTMLElement {
  const said = piece.said ? element("p", { class: "ct-muted" }, piece.said) : null;
  if (PICTURES.test(piece.media)) {
    const source = `data:${piece.media};base64,${piece.data}`;
    return element("div", {}, element("img", { src: source, alt: `${piece.kind} of the cell` }), said);
  }
  const bad = piece.kind === "stderr" || piece.kind === "error";
  const text = piece.data ? element("pre", { class: bad ? "ct-text ct-bad" : "ct-text" }, piece.data) : null;
  return element("div", {}, text, said);
}

// A traceback is kept as IPython coloured it.
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const COLOURS = /\u001b\[[0-9;]*m/g;

function plain(text: string): string {
  return text.replace(COLOURS, "");
}
