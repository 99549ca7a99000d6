import { randomBytes } from 'node:crypto';
import { SourceMap } from 'node:module';
import { ABSENT, UNNAMED } from './absent.ts';
import type { Problem } from './problem.ts';

const NAMES = Object.keys(ABSENT);
/** The bundler itself speaks of those that are named. */
const UNNAMED_IMPORT = /^(import|require)\s*\((?!\s*['"])/;

/** Marks the uses of names for the bundler, which knows which of them are a program's own. */
export class Uses {
  /** Nobody else writes it. */
  readonly #mark = `potluck_${randomBytes(12).toString('hex')}_`;

  /** For the bundler: what stands for what. */
  get define(): Record<string, string> {
    const pairs = NAMES.flatMap((name, index) => [name, `globalThis.${name}`].map((key) => [key, this.#mark + index]));
    return Object.fromEntries(pairs);
  }

  /**
   * @param code the bundle, in which what `define` says is done and an import of what is not named has become `__require()`
   * @param map its source map
   */
  find(code: string, map: string): Problem[] {
    const sources = new Sources(map);
    const uses = [...this.#occurrences(code)];
    const asked = new Set(uses.filter(({ before }) => /\btypeof\s*\(?$/.test(before)).map(({ name }) => name));
    return uses.flatMap((use) => {
      const absent = ABSENT[use.name];
      if (absent === undefined) return sources.problemAt(use, UNNAMED_IMPORT, UNNAMED);
      // Who asks whether it is there knows how to do without.
      if (asked.has(use.name) || (absent.use === 'call' && !isCall(use))) return [];
      return sources.problemAt(use, new RegExp(`^(globalThis\\s*\\.\\s*)?${use.name}\\b`), absent.message);
    });
  }

  *#occurrences(code: string): Generator<Use> {
    const pattern = new RegExp(`${this.#mark}(\\d+)|\\b__require\\d*(?=\\()`, 'g');
    for (const [line, text] of code.split('\n').entries()) {
      for (const { index, 0: whole, 1: number } of text.matchAll(pattern)) {
        const name = number === undefined ? 'import' : (NAMES[Number(number)] ?? '');
        yield { name, line, column: index, before: text.slice(0, index), after: text.slice(index + whole.length) };
      }
    }
  }
}

/** A place in the bundle, from 0. */
interface Use {
  readonly name: string;
  readonly line: number;
  readonly column: number;
  readonly before: string;
  readonly after: string;
}

const isCall = ({ before, after }: Use): boolean => /\bnew\s+$/.test(before) || after.startsWith('(');

/** The author's own files, by way of the source map. */
class Sources {
  readonly #map: SourceMap;
  readonly #texts: ReadonlyMap<string, readonly string[]>;

  constructor(text: string) {
    const payload = JSON.parse(text) as { sources: string[]; sourcesContent: string[] };
    this.#map = new SourceMap(payload as never);
    this.#texts = new Map(
      payload.sources.map((name, index) => [name, (payload.sourcesContent[index] ?? '').split('\n')]),
    );
  }

  /** @param looks what must stand there: else it is the bundler's own. @returns one problem or none. */
  problemAt({ line, column }: Use, looks: RegExp, message: string): Problem[] {
    const entry = this.#map.findEntry(line, column);
    if (!('originalSource' in entry)) return [];
    const { originalSource: file, originalLine, originalColumn } = entry;
    const lineText = this.#texts.get(file)?.[originalLine] ?? '';
    const found = looks.exec(lineText.slice(originalColumn));
    if (found === null) return [];
    const { length } = found[0].replace(/\s*\($/, '');
    const place = { file, line: originalLine + 1, column: originalColumn + 1, length };
    return [{ severity: 'error', ...place, message, lineText }];
  }
}
