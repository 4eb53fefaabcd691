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

/** In a run of removed lines followed by added ones, line k is taken to replace line k. */
function withPieces(lines: readonly CodeLine[]): Piece[][] {
  const found: Piece[][] = lines.map((line) => [{ text: line.text, changed: false }]);
  for (let at = 0; at < lines.length; ) {
    const removed = runOf(lines, at, "-");
    const added = runOf(lines, at + removed, "+");
    for (let k = 0; k < Math.min(removed, added); k++) {
      const [from, to] = [lines[at + k] as CodeLine, lines[at + removed + k] as CodeLine];
      const pair = changedPieces(from.text, to.text);
      if (pair) [found[at + k], found[at + removed + k]] = pair;
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

// A number is one word, so that 3e-3 against 1e-3 reads as one change.
const WORD = /\d[\w.]*(?:(?<=[eE])[-+]\d+)?|\w+|\s+|./gu;
const MOST_WORDS = 300;

/** The words of two lines that the other does not have; null when they have too little in common to be compared. */
function changedPieces(a: string, b: string): [Piece[], Piece[]] | null {
  const [before, after] = [a.match(WORD) ?? [], b.match(WORD) ?? []];
  if (before.length > MOST_WORDS || after.length > MOST_WORDS) return null;
  const kept = commonWords(before, after);
  const common = kept.reduce((sum, [at]) => sum + (before[at]?.trim().length ?? 0), 0);
  if (common * 3 < Math.max(a.trim().length, b.trim().length)) return null;
  return [pieces(before, new Set(kept.map(([at]) => at))), pieces(after, new Set(kept.map(([, at]) => at)))];
}

/** The longest common subsequence, as pairs of places. */
function commonWords(a: readonly string[], b: readonly string[]): [number, number][] {
  const wide = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * wide);
  const at = (i: number, j: number): number => longest[i * wide + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i * wide + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const found: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return found;
}

function pieces(words: readonly string[], kept: ReadonlySet<number>): Piece[] {
  const found: Piece[] = [];
  words.forEach((text, at) => {
    const changed = !kept.has(at);
    const last = found.at(-1);
    if (last?.changed === changed) last.text += text;
    else found.push({ text, changed });
  });
  return found;
}
