import { styleText } from 'node:util';

/** Colours for people; every function returns its text unchanged where colours are off. */
export interface Style {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  bad(text: string): string;
  /** One of a few colours, the same for the same number. */
  tint(number: number, text: string): string;
}

const TINTS = ['cyan', 'magenta', 'yellow', 'blue', 'green', 'cyanBright', 'magentaBright', 'blueBright'] as const;

type Format = Parameters<typeof styleText>[0];

/** @param colour see `wantsColour`. */
export function styleOf(colour: boolean): Style {
  const paint = (format: Format) => (text: string) =>
    colour && text !== '' ? styleText(format, text, { validateStream: false }) : text;
  return {
    strong: paint('bold'),
    faint: paint('dim'),
    good: paint('green'),
    warning: paint('yellow'),
    bad: paint('red'),
    tint: (number, text) => paint(TINTS[number % TINTS.length] ?? 'cyan')(text),
  };
}

/** Only on a terminal, and not where https://no-color.org asks for none. */
export function wantsColour(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

/**
 * Shows control characters as `\x1b` instead of sending them: what nodes and programs say must not drive a terminal.
 * Also the marks that reorder text. Newlines and tabs stay.
 */
export function visible(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code === 0x0d) return '';
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** `visible` on every string inside a value of JSON. */
export function visibleAll(value: unknown): unknown {
  if (typeof value === 'string') return visible(value);
  if (Array.isArray(value)) return value.map(visibleAll);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [visible(key), visibleAll(inner)]));
}

/** Columns as wide as their widest cell; the last one keeps its length. Only the header is painted. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], style: Style): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [style.strong(lineOf(header)), ...rows.map(lineOf)].join('\n');
}

/** `a, b and c`; past `most`, the rest is counted. */
export function enumerate(names: readonly string[], most = 12): string {
  if (names.length <= 1) return names.join('');
  if (names.length > most) return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** `1 vessel`, `3 vessels`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
