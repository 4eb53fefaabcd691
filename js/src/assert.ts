/** Narrows instead of `!`; the sentence says what must hold. */
export function assert(claim: unknown, sentence: string): asserts claim {
  if (!claim) throw new Error(sentence);
}

/** The part of an answer that was asked for: every kernel sends it, and every server. */
export function told<Part>(part: Part | null | undefined): Part {
  assert(part, "the answer lacks what was asked for");
  return part;
}
