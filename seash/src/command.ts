import type { z } from 'zod';
import { UsageError } from './errors.ts';
import { targetWords } from './expression.ts';
import { type Option, OptionReader, type OptionValues, optionUsage } from './option.ts';
import type { Context } from './session.ts';
import type { Style } from './style.ts';
import type { Word } from './words.ts';

/** What a slot takes: decides what the Tab key offers. */
export type SlotKind = 'text' | 'file' | 'keys' | 'identity' | 'target' | 'group' | 'command' | 'module';

/** One argument of a command. */
export interface Slot {
  /** In capitals, as the usage shows it. */
  readonly name: string;
  readonly kind: SlotKind;
  /** A word that must stand before it: `to` in `add TARGET to GROUP`. */
  readonly after?: string;
  readonly optional?: true;
  /** Takes all words that are left. Only the last slot. */
  readonly rest?: true;
}

/** The arguments by the names of their slots. */
export type Values<S extends readonly Slot[]> = {
  readonly [K in S[number] as K['name']]: K extends { rest: true }
    ? readonly string[]
    : K extends { optional: true }
      ? string | undefined
      : string;
};

/** One row of the command table. */
export interface Definition<S extends readonly Slot[], R extends z.ZodObject, O extends readonly Option[]> {
  /** One word or two: `show log`. */
  readonly name: string;
  readonly summary: string;
  readonly slots: S;
  /** They stand before, between and after the slots, but not after the words of the last slot if it takes all. */
  readonly options?: O;
  readonly example: string;
  /** What its two groups begin with: `run` leaves `rungood` and `runfail`. None unless given. */
  readonly leaves?: string;
  /** The command's part of its JSON object. */
  readonly result: R;
  /** `as` and `on`: what the value of the first slot stands for when a command follows. */
  readonly prefix?: 'identity' | 'target';
  /** What else the words must be; without it, whatever fills the slots. @throws UsageError */
  check?(values: Values<S> & OptionValues<O>): void;
  run(context: Context, values: Values<S> & OptionValues<O>): Promise<z.infer<R>>;
  /** Whether all went well; unless given, when nothing `failed`. */
  isOk?(result: z.infer<R>): boolean;
  /** The result in people's words, without its failures, which the shell adds; empty for nothing to say. */
  render(result: z.infer<R>, style: Style): string;
}

/** A row of the table with its types closed. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly example: string;
  readonly leaves: string | undefined;
  readonly slots: readonly Slot[];
  readonly options: readonly Option[];
  readonly result: z.ZodObject;
  readonly prefix: 'identity' | 'target' | undefined;
  /** @throws UsageError USAGE: the words do not fill the slots */
  check(words: readonly Word[]): void;
  run(context: Context, words: readonly Word[]): Promise<{ ok: boolean; facts: Record<string, unknown> }>;
  render(result: Record<string, unknown>, style: Style): string;
}

/** A row of the table, and the work behind it for programs, with its types. */
export interface Work<S extends readonly Slot[], R extends z.ZodObject, O extends readonly Option[]> extends Command {
  /** What the command does, without a line. Throws what the command would tell as its error. */
  readonly work: Definition<S, R, O>['run'];
}

export function command<
  const S extends readonly Slot[],
  R extends z.ZodObject,
  const O extends readonly Option[] = readonly [],
>(d: Definition<S, R, O>): Work<S, R, O> {
  const options: readonly Option[] = d.options ?? [];
  const usage = [d.name, ...options.map((option) => `[${optionUsage(option)}]`), ...d.slots.map(usageOf)].join(' ');
  const valuesOf = (words: readonly Word[]) => {
    const values = fill(words, { slots: d.slots, options, usage }) as Values<S> & OptionValues<O>;
    d.check?.(values);
    return values;
  };
  return {
    name: d.name,
    summary: d.summary,
    usage,
    example: d.example,
    leaves: d.leaves,
    slots: d.slots,
    options,
    result: d.result,
    prefix: d.prefix,
    work: (context, values) => d.run(context, values),
    check: (words) => void valuesOf(words),
    run: async (context, words) => {
      const facts = await d.run(context, valuesOf(words));
      return { ok: d.isOk?.(facts) ?? !hasFailures(facts), facts };
    },
    render: (result, style) => d.render(result as z.infer<R>, style),
  };
}

function hasFailures({ failed }: Record<string, unknown>): boolean {
  return Array.isArray(failed) && failed.length > 0;
}

function usageOf({ name, after, optional, rest }: Slot): string {
  const text = `${after === undefined ? '' : `${after} `}${name}${rest ? '...' : ''}`;
  return optional || rest ? `[${text}]` : text;
}

function fill(
  words: readonly Word[],
  { slots, options, usage }: Pick<Command, 'slots' | 'options' | 'usage'>,
): Record<string, unknown> {
  const left = [...words];
  const values: Record<string, unknown> = {};
  const reader = new OptionReader(options, usage);
  reader.take(left);
  for (const [index, slot] of slots.entries()) {
    if (slot.rest) values[slot.name] = left.splice(0).map(({ text }) => text);
    else if (!isSkipped(slot, slots[index + 1], left[0])) values[slot.name] = take(slot, left, usage);
    if (slots[index + 1]?.rest !== true) reader.take(left);
  }
  const [extra] = left;
  if (extra === undefined) return { ...values, ...reader.values };
  throw new UsageError('USAGE', `expected "${usage}", got "${extra.text}" after its end`);
}

/** Whether this slot is left out, seen from the word that stands at its place. */
export function isSkipped(slot: Slot, next: Slot | undefined, word: Word | undefined): boolean {
  if (!slot.optional) return false;
  if (slot.after !== undefined) return !isKeyword(word, slot.after);
  return word === undefined || (next?.after !== undefined && isKeyword(word, next.after));
}

function take(slot: Slot, left: Word[], usage: string): string {
  if (slot.after !== undefined && !isKeyword(left.shift(), slot.after)) {
    throw new UsageError('USAGE', `expected "${usage}", got no "${slot.after}" before ${slot.name}`);
  }
  const words = left.splice(0, lengthOf(slot, left));
  if (words.length === 0) throw new UsageError('USAGE', `expected "${usage}", got no ${slot.name}`);
  return words.map(({ text }) => text).join(' ');
}

/** How many of the words fill the slot: one, or all words of a target. */
export function lengthOf({ kind }: Slot, words: readonly Word[]): number {
  return kind === 'target' ? targetWords(words) : 1;
}

/** @returns whether the word is this keyword; a quoted word never is. */
export function isKeyword(word: Word | undefined, keyword: string): boolean {
  return word !== undefined && !word.quoted && word.text === keyword;
}
