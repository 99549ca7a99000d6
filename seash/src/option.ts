import { hintFor } from '@potluck/protocol';
import type { SlotKind } from './command.ts';
import { UsageError } from './errors.ts';
import type { Word } from './words.ts';

/** A named argument of a command: `--follow`, or `--timeout SECONDS`, which may also be written `--timeout=SECONDS`. */
export interface Option {
  /** In kebab-case, without its dashes. */
  readonly name: string;
  readonly summary: string;
  /** What stands after it; a switch unless given. */
  readonly value?: { readonly name: string; readonly kind: SlotKind };
}

/** Switches are true or false, others a text or undefined; by their names. */
export type OptionValues<O extends readonly Option[]> = {
  readonly [K in O[number] as K['name']]: K extends { value: object } ? string | undefined : boolean;
};

/** `--follow`, `--timeout SECONDS`. */
export function optionUsage({ name, value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} ${value.name}`;
}

/**
 * Takes the options that a command's words begin with, wherever a slot may begin. What is quoted, and all words after
 * `--`, are never options.
 */
export class OptionReader {
  readonly #options: readonly Option[];
  readonly #usage: string;
  readonly #values = new Map<string, string | true>();
  #closed = false;

  constructor(options: readonly Option[], usage: string) {
    this.#options = options;
    this.#usage = usage;
  }

  /** @param left loses the options at its beginning. @throws UsageError USAGE: unknown, twice, or without its value */
  take(left: Word[]): void {
    while (!this.#closed) {
      const [word] = left;
      if (word === undefined || word.quoted || !word.text.startsWith('--')) return;
      left.shift();
      if (word.text === '--') this.#closed = true;
      else this.#read(word.text, left);
    }
  }

  /** Each option of the command, with its value. */
  get values(): Record<string, unknown> {
    return Object.fromEntries(
      this.#options.map(({ name, value }) => [
        name,
        this.#values.get(name) ?? (value === undefined ? false : undefined),
      ]),
    );
  }

  /** The options that may still be said; none after `--`. */
  get unsaid(): Option[] {
    return this.#closed ? [] : this.#options.filter(({ name }) => !this.#values.has(name));
  }

  #read(text: string, left: Word[]): void {
    const [said = '', ...parts] = text.split('=');
    const option = this.#options.find(({ name }) => said === `--${name}`);
    if (option === undefined) throw this.#unknown(said);
    const { name, value } = option;
    if (this.#values.has(name)) throw new UsageError('USAGE', `expected "${said}" once, got it twice`);
    const given = parts.length > 0 ? parts.join('=') : undefined;
    if (value === undefined) {
      if (given !== undefined) throw new UsageError('USAGE', `expected "${said}" without a value, got "${given}"`);
      this.#values.set(name, true);
      return;
    }
    const word = given ?? left.shift()?.text;
    if (word === undefined) throw new UsageError('USAGE', `expected "${this.#usage}", got no ${value.name}`);
    this.#values.set(name, word);
  }

  #unknown(said: string): UsageError {
    const names = this.#options.map(({ name }) => `--${name}`);
    const expected = names.length === 0 ? `"${this.#usage}", which has no options` : `an option of "${this.#usage}"`;
    return new UsageError('USAGE', `expected ${expected}, got "${said}"${hintFor(said, names)}`);
  }
}
