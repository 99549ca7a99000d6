import { UsageError } from './errors.ts';

/** A part of a word with the quotes that it stood in, without them. */
export interface Piece {
  readonly text: string;
  readonly quote: '' | "'" | '"';
}

/** One word of a command, unquoted, and where it stood in the source. */
export interface Word {
  readonly text: string;
  /** True if any part of it stood in quotes: then it is never a keyword. */
  readonly quoted: boolean;
  /** What the text is made of: in `'...'` nothing stands for anything else. */
  readonly pieces: readonly Piece[];
  readonly start: number;
  readonly end: number;
}

/** One command: at least one word, and its line in the source, from 1. */
export interface Statement {
  readonly words: readonly Word[];
  readonly line: number;
}

interface Place {
  readonly source: string;
  readonly line: number;
  /** Takes an unclosed quote for closed: the line is still being typed. */
  readonly unfinished: boolean;
}

/** Longest script, in characters. */
export const SCRIPT_LENGTH = 1024 * 1024;

/**
 * Splits a script into commands. Commands end at a newline or `;`; a word that begins with `#` starts a comment;
 * `'...'` is literal; in `"..."` the pairs `\"` and `\\` stand for `"` and `\`. A quote ends on the line it began on.
 * @throws UsageError BAD_QUOTING, USAGE (too long)
 */
export function parseStatements(source: string): Statement[] {
  return scan(source, false);
}

/** The words of the last command of a line that is still being typed; the last word is what stands at the cursor. */
export function wordsBeforeCursor(line: string): { words: Word[]; current: Word } {
  const last = scan(line, true).findLast(() => true);
  const between = last === undefined ? line : line.slice(last.words.at(-1)?.end);
  const nothing: Word = { text: '', quoted: false, pieces: [], start: line.length, end: line.length };
  if (/#[^\n]*$/.test(between)) return { words: [{ ...nothing, text: '#' }], current: nothing }; // No command's word.
  const words = /[;\n]/.test(between) || last === undefined ? [] : [...last.words];
  const current = words.at(-1)?.end === line.length ? words.pop() : undefined;
  return { words, current: current ?? nothing };
}

/** The source of one word: `parseStatements(quoteWord(w))` gives `w` back, unless `w` has a newline. */
export function quoteWord(text: string): string {
  if (/^[^\s;#'"$][^\s;'"$]*$/.test(text)) return text;
  if (!text.includes("'")) return `'${text}'`;
  if (!text.includes('$')) return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  return text
    .split("'")
    .map((part) => `'${part}'`)
    .join(`"'"`);
}

function scan(source: string, unfinished: boolean): Statement[] {
  if (source.length > SCRIPT_LENGTH) {
    throw new UsageError('USAGE', `expected a script of at most ${SCRIPT_LENGTH} characters, got ${source.length}`);
  }
  const statements: Statement[] = [];
  let words: Word[] = [];
  let line = 1;
  const finish = (): void => {
    if (words.length > 0) statements.push({ words, line });
    words = [];
  };
  for (let at = 0; at < source.length; ) {
    const character = source.charAt(at);
    if (character === '#') {
      at = endOfLine(source, at);
    } else if (!isBoundary(character)) {
      const word = readWord({ source, line, unfinished }, at);
      words.push(word);
      at = word.end;
    } else {
      if (character === ';' || character === '\n') finish();
      if (character === '\n') line += 1;
      at += 1;
    }
  }
  finish();
  return statements;
}

function readWord(place: Place, start: number): Word {
  const pieces: Piece[] = [];
  let at = start;
  while (at < place.source.length && !isBoundary(place.source.charAt(at))) {
    const character = place.source.charAt(at);
    const isQuote = character === "'" || character === '"';
    const { text, end } = isQuote ? readQuoted(place, at) : readPlain(place, at);
    pieces.push({ text, quote: isQuote ? character : '' });
    at = end;
  }
  const text = pieces.map((piece) => piece.text).join('');
  return { text, quoted: pieces.some(({ quote }) => quote !== ''), pieces, start, end: at };
}

function readPlain({ source }: Place, start: number): { text: string; end: number } {
  let end = start;
  while (end < source.length && !isBoundary(source.charAt(end)) && !/['"]/.test(source.charAt(end))) end += 1;
  return { text: source.slice(start, end), end };
}

function readQuoted({ source, line, unfinished }: Place, start: number): { text: string; end: number } {
  const quote = source.charAt(start);
  let text = '';
  let at = start + 1;
  while (at < source.length && source.charAt(at) !== '\n') {
    if (source.charAt(at) === quote) return { text, end: at + 1 };
    if (quote === '"' && /^\\["\\]/.test(source.slice(at, at + 2))) at += 1;
    text += source.charAt(at);
    at += 1;
  }
  if (unfinished) return { text, end: at };
  throw new UsageError('BAD_QUOTING', `expected a closing ${quote} on the same line, got the end of the line`, {
    details: { line },
  });
}

function isBoundary(character: string): boolean {
  return character === ';' || /\s/.test(character);
}

function endOfLine(source: string, at: number): number {
  const end = source.indexOf('\n', at);
  return end === -1 ? source.length : end;
}
