import { LIMITS } from '@potluck/protocol';
import examples from './data/examples.json' with { type: 'json' };
import { PageError } from './errors.ts';

const KEY = 'potluck-programs';
/** All programs together: browsers give a site about 5 MiB. */
const KEPT_CHARACTERS = 2_000_000;
const NAME = /^(?!private_)[a-z0-9_-][a-z0-9._-]{0,110}\.(js|mjs|ts|mts|json|txt)$/i;

export const EXAMPLES: readonly { readonly name: string; readonly text: string }[] = examples;

/** The programs that are kept in this browser, by their names; they go nowhere else until they are run. */
export class Programs {
  #texts = keptTexts();

  constructor() {
    const [first] = EXAMPLES;
    if (this.#texts.size === 0 && first !== undefined) this.#texts.set(first.name, first.text);
  }

  /** Calls when another page of this browser has kept or deleted some, which is so here too then. */
  onElsewhere(listener: () => void): void {
    addEventListener('storage', ({ key }) => {
      const texts = key === KEY ? keptTexts() : new Map();
      if (texts.size === 0) return;
      this.#texts = texts;
      listener();
    });
  }

  get names(): string[] {
    return [...this.#texts.keys()].sort();
  }

  get files(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#texts);
  }

  textOf(name: string): string {
    return this.#texts.get(name) ?? '';
  }

  /** @throws PageError BAD_NAME, TOO_LARGE, NOT_KEPT: the text is here, and gone with the page */
  keep(name: string, text: string): void {
    if (!NAME.test(name)) {
      throw new PageError('BAD_NAME', `expected a name such as hello.js or hello.ts, got "${name}"`);
    }
    const others = [...this.#texts].reduce((sum, [other, { length }]) => sum + (other === name ? 0 : length), 0);
    if (text.length > LIMITS.fileBytes || others + text.length > KEPT_CHARACTERS) {
      const got = others + text.length;
      throw new PageError(
        'TOO_LARGE',
        `expected programs of at most ${KEPT_CHARACTERS} characters together, got ${got}`,
      );
    }
    this.#texts.set(name, text);
    this.#save();
  }

  delete(name: string): void {
    this.#texts.delete(name);
    this.#save();
  }

  /** A name that is free, made of another one. */
  freeName(name: string): string {
    if (!this.#texts.has(name)) return name;
    const [, stem = name, end = ''] = /^(.*)(\.\w+)$/.exec(name) ?? [];
    let number = 2;
    while (this.#texts.has(`${stem}-${number}${end}`)) number += 1;
    return `${stem}-${number}${end}`;
  }

  #save(): void {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.files));
    } catch (cause) {
      const message = 'expected this browser to keep the program, it does not: save it as a file before you leave';
      throw new PageError('NOT_KEPT', message, { cause });
    }
  }
}

/** None where the browser keeps nothing, or something else. */
function keptTexts(): Map<string, string> {
  let kept: unknown;
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');
  } catch {
    kept = {};
  }
  const pairs = Object.entries(Object(kept)).filter(([name, text]) => NAME.test(name) && typeof text === 'string');
  return new Map(pairs as [string, string][]);
}
