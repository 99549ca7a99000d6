/** A place in an author's own file; line and column from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Of a long line only this many characters around the place are shown. */
const MOST_SHOWN = 100;

/** @returns the place that a sentence or a trace names last, as `file.ts:3:7`. */
export function placeIn(text: string): Place | undefined {
  const match = [...text.matchAll(/([^\s():]+):(\d{1,9}):(\d{1,9})/g)].at(-1);
  if (match === undefined) return undefined;
  return { file: match[1] ?? '', line: Number(match[2]), column: Number(match[3]) };
}

/** @returns the source line with its number, and below it a caret for each unit that it is about; no line end. */
export function excerptOf({ line, column }: Omit<Place, 'file'>, lineText: string, length = 1): string {
  const start = Math.max(0, Math.min(column - 1 - MOST_SHOWN / 2, lineText.length - MOST_SHOWN));
  const shown = printable(lineText.slice(start, start + MOST_SHOWN));
  const before = shown.slice(0, column - 1 - start).replace(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, Math.min(length, shown.length - before.length)));
  const number = `${line}`;
  return `  ${number} | ${shown}\n  ${' '.repeat(number.length)} | ${before}${carets}`;
}

/** What an author wrote may hold what a terminal would obey. */
function printable(text: string): string {
  return text.replace(/[^\t\x20-\x7e\xa0-\u{10ffff}]/gu, '?');
}
