/** Narrows instead of `!`; the sentence says what must hold. */
export function assert(claim: unknown, sentence: string): asserts claim {
  if (!claim) throw new Error(sentence);
}
