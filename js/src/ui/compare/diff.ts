import type { CodeLine } from "../../contract.ts";

/** A stretch of a line; `changed` is what the line it replaces does not have. */
export interface Piece {
  text: string;
  changed: boolean;
}

/** What a diff shows: a line, or a fold that stands for unchanged lines. */
export type Block = { kind: "line"; mark: CodeLine["mark"]; pieces: Piece[] } | { kind: "fold"; lines: number };

const CONTEXT = 3;

/** The lines of a diff; long unchanged stretches are folded unless all is wanted. */
export function diffBlocks(lines: readonly CodeLine[], all: boolean): Block[] {
  const pieces = withPieces(lines);
  const near = lines.map(() => all);
  lines.forEach((line, at) => {
    if (line.mark === " ") return;
    for (let i = Math.max(0, at - CONTEXT); i <= Math.min(lines.length - 1, at + CONTEXT); i++) near[i] = true;
  });
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] as CodeLine;
    let end = at;
    while (end < lines.length && !near[end]) end += 1;
    // A fold of one line would take the line's own place.
    if (end - at > 1) {
      blocks.push({ kind: "fold", lines: end - at });
      at = end;
    } else {
      blocks.push({ kind: "line", mark: line.mark, pieces: pieces[at] ?? [] });
      at += 1;
    }
  }
  return blocks;
}

/** How many lines were taken away and added. */
export function diffSize(lines: readonly CodeLine[]): { removed: number; added: number } {
  const size = (mark: CodeLine["mark"]): number => lines.filter((line) => line.mark === mark).length;
  return { removed: size("-"), added: size("+") };
}

/** In a run of removed lines followed by as many added ones, line k replaces line k. */
function withPieces(lines: readonly CodeLine[]): Piece[][] {
  const found: Piece[][] = lines.map((line) => [{ text: line.text, changed: false }]);
  for (let at = 0; at < lines.length; ) {
    const removed = runOf(lines, at, "-");
    const added = runOf(lines, at + removed, "+");
    for (let k = 0; removed === added && k < removed; k++) {
      const [from, to] = [lines[at + k] as CodeLine, lines[at + removed + k] as CodeLine];
      [found[at + k], found[at + removed + k]] = changedPieces(from.text, to.text) as [Piece[], Piece[]];
    }
    at += Math.max(1, removed + added);
  }
  return found;
}

function runOf(lines: readonly CodeLine[], from: number, mark: CodeLine["mark"]): number {
  let n = 0;
  while (lines[from + n]?.mark === mark) n += 1;
  return n;
}

/** What two lines have in common at both ends is unchanged; lines with next to nothing in common are not split. */
function changedPieces(a: string, b: string): [Piece[], Piece[]] {
  const least = Math.min(a.length, b.length);
  let head = 0;
  while (head < least && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < least - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const apart = head + tail < Math.max(a.length, b.length) / 3;
  const split = (text: string): Piece[] =>
    apart
      ? [{ text, changed: false }]
      : [
          { text: text.slice(0, head), changed: false },
          { text: text.slice(head, text.length - tail), changed: true },
          { text: text.slice(text.length - tail), changed: false },
        ].filter((piece) => piece.text !== "");
  return [split(a), split(b)];
}
