import { SourceMap, type SourceMapPayload } from 'node:module';

const MARK = '//# sourceMappingURL=data:application/json;base64,';
const NOT_BASE64 = /[^\w+/=]/;
const BOUNDARY = '(<isolated-vm boundary>)';
/** The name of the code inside, in traces. */
export const PRELUDE_NAME = 'potluck:prelude';

/** A program's text, and the way back from its positions to the author's own files. */
export class Trace {
  /** What is compiled: the program without its source map. */
  readonly code: string;
  readonly #name: string;
  readonly #encoded: string | undefined;
  #map: SourceMap | null | undefined;

  constructor(name: string, source: string) {
    this.#name = name;
    const at = source.lastIndexOf(MARK);
    const encoded = at === -1 ? '' : source.slice(at + MARK.length).trim();
    // Only at the very end is it one: elsewhere the program would lose what comes after it.
    this.#encoded = at === -1 || NOT_BASE64.test(encoded) ? undefined : encoded;
    this.code = this.#encoded === undefined ? source : source.slice(0, at);
  }

  /** @returns the text with every `program.js:LINE:COLUMN` replaced, and without frames that are not the author's. */
  translate(text: string): string {
    const lines = text.split('\n');
    const end = lines.findIndex((line) => line.includes(BOUNDARY));
    return lines
      .slice(0, end === -1 ? lines.length : end)
      .filter((line) => !line.includes(PRELUDE_NAME))
      .join('\n')
      .replace(this.#positions(), (whole, line, column) => this.#translated(Number(line), Number(column)) ?? whole);
  }

  #positions(): RegExp {
    const name = this.#name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`(?<![\\w./-])${name}:(\\d{1,9}):(\\d{1,9})`, 'g');
  }

  #translated(line: number, column: number): string | undefined {
    const entry = this.#sourceMap()?.findEntry(line - 1, column - 1);
    if (entry === undefined || !('originalSource' in entry) || entry.originalSource === undefined) return undefined;
    // Where the piece begins that the map knows of: what lies within it need not lie as far within the author's.
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  }

  /** Parsed at the first error only. It came with the program, so it may be anything. */
  #sourceMap(): SourceMap | null {
    if (this.#map !== undefined) return this.#map;
    this.#map = null;
    try {
      const json = Buffer.from(this.#encoded ?? '', 'base64').toString();
      if (this.#encoded !== undefined) this.#map = new SourceMap(JSON.parse(json) as SourceMapPayload);
    } catch {
      // Positions of the bundle are still right, only less handy.
    }
    return this.#map;
  }
}
