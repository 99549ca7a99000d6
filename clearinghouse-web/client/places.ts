/** A place in a program. Line and column from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** As traces and the bundler name places: `hello.ts:3:7`. */
const PLACE = /(?<![\w./-])([\w-][\w.-]*\.(?:js|mjs|ts|mts)):(\d{1,7}):(\d{1,7})(?!\w)/g;

/** Cuts a text at the places in it that are known. @returns all of the text, in its order */
export function cutAtPlaces(
  text: string,
  isKnown: (file: string) => boolean,
): (string | { readonly text: string; readonly place: Place })[] {
  const cut: (string | { text: string; place: Place })[] = [];
  let end = 0;
  for (const { 0: found, 1: file = '', 2: line, 3: column, index } of text.matchAll(PLACE)) {
    if (!isKnown(file)) continue;
    if (index > end) cut.push(text.slice(end, index));
    cut.push({ text: found, place: { file, line: Number(line), column: Number(column) } });
    end = index + found.length;
  }
  if (end < text.length) cut.push(text.slice(end));
  return cut;
}
