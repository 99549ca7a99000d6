import type { KeyId } from '@potluck/protocol';
import { conditionOf, unknown } from './condition.ts';
import type { NodeFacts, Target } from './targets.ts';
import type { Word } from './words.ts';

/** Longest expression, in characters. */
const EXPRESSION_LENGTH = 4096;

/** `%3`, `%1-%5`, `%1-5`. */
const RANGE = /^%(?<first>\d{1,9})-%?(?<last>\d{1,9})$/;

/** What stands between two terms, as a word of its own: all of both, without the second, in both. */
const OPERATORS: Readonly<Record<string, (left: Set<Target>, right: Set<Target>) => Set<Target>>> = {
  '+': (left, right) => left.union(right),
  '-': (left, right) => left.difference(right),
  '&': (left, right) => left.intersection(right),
};

/** What a shell knows beside the vessels. */
export interface Known {
  /** The vessels of a name or a group. */
  named(name: string): Iterable<Target>;
  about(node: KeyId): NodeFacts | undefined;
}

/**
 * The vessels that an expression means: terms with `+`, `-` or `&` between them, each a word of its own, taken from left
 * to right. A term is a list of `%3`, `%1-%5`, `%all`, names, groups and conditions with `,` between them: all of them.
 * @throws CommandError UNKNOWN_TARGET, or what `known.named` throws
 */
export function vesselsIn(expression: string, all: readonly Target[], known: Known): Set<Target> {
  if (expression.length > EXPRESSION_LENGTH) {
    throw unknown(`a target of at most ${EXPRESSION_LENGTH} characters`, `one of ${expression.length}`);
  }
  const term = (word: string | undefined): Set<Target> => {
    const parts = word?.split(',') ?? [''];
    if (parts.includes('')) throw unknown('a target on both sides of each sign', `"${expression}"`);
    return new Set(parts.flatMap((part) => [...partOf(part, all, known)]));
  };
  const [first, ...rest] = expression.trim().split(/\s+/);
  let vessels = term(first);
  for (let at = 0; at < rest.length; at += 2) {
    const combine = OPERATORS[rest[at] ?? ''];
    if (combine === undefined) throw unknown('"+", "-" or "&" between two targets', `"${rest[at]}"`);
    vessels = combine(vessels, term(rest[at + 1]));
  }
  return vessels;
}

/** How many of the words are one target: `%all - broken list` begins with one of three. */
export function targetWords(words: readonly Word[]): number {
  let count = Math.min(1, words.length);
  while (isOperator(words[count])) count += 2;
  return count;
}

/** True for `+`, `-` and `&` that stand alone and outside of quotes. */
function isOperator(word: Word | undefined): boolean {
  return word !== undefined && !word.quoted && Object.hasOwn(OPERATORS, word.text);
}

function partOf(part: string, all: readonly Target[], { named, about }: Known): Iterable<Target> {
  const range = RANGE.exec(part)?.groups;
  if (range !== undefined) return inRange(part, Number(range.first), Number(range.last), all);
  const condition = conditionOf(part);
  return condition === undefined ? named(part) : all.filter((target) => condition(target, about(target.node)));
}

function inRange(part: string, first: number, last: number, all: readonly Target[]): readonly Target[] {
  const numbers = all.map(({ id }) => Number(id.slice(1)));
  const greatest = numbers.at(-1) ?? 0;
  if (first >= 1 && first <= last && last <= greatest) {
    return all.filter((_, index) => (numbers[index] ?? 0) >= first && (numbers[index] ?? 0) <= last);
  }
  const known = all.length === 0 ? 'no vessel is known' : `known are ${all[0]?.id} to %${greatest}`;
  throw unknown(`a range of known vessels, the lower number first (${known})`, `"${part}"`);
}
