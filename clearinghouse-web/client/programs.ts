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
  readonly #texts: Map<string, string>;

  constructor() {
    let kept: unknown;
    try {
      kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    } catch {
      kept = {};
    }
    const pairs = Object.entries(Object(kept)).filter(([name, text]) => NAME.test(name) && typeof text === 'string');
    this.#texts = new Map(pairs as [string, string][]);
    const [first] = EXAMPLES;
    if (this.#texts.size === 0 && first !== undefined) this.#texts.set(first.name, first.text);
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

  /** @throws PageError BAD_NAME, TOO_LARGE: nothing was kept */
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
    localStorage.setItem(KEY, JSON.stringify(this.files));
  }
}
