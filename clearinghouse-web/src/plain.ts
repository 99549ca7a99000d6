/**
 * Characters by which a text is seen as something else than it is, or does something to what stands beside it: controls
 * (a terminal obeys them), separators of lines, and those that turn the direction of what follows (Unicode TR 36, 3.2).
 */
const TRICKS = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/** Whether a text is one line in which all that is there is seen. */
export function isPlain(text: string): boolean {
  return text.search(TRICKS) < 0;
}

/** For words of somebody else's choice that are kept and shown: one line, with U+FFFD where a trick was. */
export function plainly(text: string): string {
  return text.replace(TRICKS, '\uFFFD');
}
