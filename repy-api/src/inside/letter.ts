import { isInteger, mapGet, mapSet, SafeError, SafeMap, type Table, table, typedArrayName } from './primordials.ts';

/**
 * A realm is a program's world: a global object, the language's own objects, and a copy of the code inside around them.
 * Several stand in one isolate when a program runs others within itself, and none may get hold of an object of another.
 *
 * So what passes between two realms is words only: primitives, ports, and typed arrays, which the receiver copies at
 * once and forgets. A port is a function made by the code inside and called by the code inside: no program ever sees one.
 */
export type Word = string | number | boolean | bigint | null | undefined | Port | Uint8Array;

/**
 * `begin` empties the letter that waits for the realm of this port, `put` adds a word to it, `call` has it read and
 * carried out; the answer is put to the port given with `call`, and `DONE` or `THROWN` says how to take it.
 */
export type Port = (step: number, word?: Word) => number;

export const STEP = { begin: 0, put: 1, call: 2 } as const;
export const DONE = 0;
export const THROWN = 1;

/** What a value begins with in a letter; the words that follow are said in `pack.ts`. */
export const TAG = {
  plain: 0,
  again: 1,
  array: 2,
  object: 3,
  map: 4,
  set: 5,
  date: 6,
  bytes: 7,
  error: 8,
  function: 9,
  promise: 10,
  handle: 11,
} as const;

/** Words under way in one direction; the writer and the reader count the same objects in the same order. */
export interface Letter {
  readonly words: Word[];
  /** What no longer fits into `words`. */
  more: Table<Word[]> | undefined;
  length: number;
  at: number;
  depth: number;
  objects: number;
  /** Of a writer: objects by their numbers. */
  seen: Map<unknown, unknown> | undefined;
  /** Of a reader: objects by their numbers. */
  made: Table<unknown> | undefined;
  /** Of a reader: what is to be done when all is read. */
  after: Table<() => void> | undefined;
  afters: number;
}

/**
 * A place for some words, each of them there from the start: what is assigned to is its own, so nothing that a program
 * did to arrays has a part in it. Such an array is several times cheaper to fill than one that grows.
 */
const u = undefined;
const page = (): Word[] => [u, u, u, u, u, u, u, u, u, u, u, u, u, u, u, u];
const PAGE = 16;

export function letter(): Letter {
  const made = undefined;
  return {
    words: page(),
    more: undefined,
    length: 0,
    at: 0,
    depth: 0,
    objects: 0,
    seen: undefined,
    made,
    after: undefined,
    afters: 0,
  };
}

export function put(to: Letter, word: Word): void {
  set(to, to.length++, word);
}

/** Writes over a word, or the next one. */
export function set(to: Letter, index: number, word: Word): void {
  if (index < PAGE) {
    to.words[index] = word;
    return;
  }
  to.more ??= table();
  const number = (index / PAGE) | 0;
  to.more[number] ??= page();
  (to.more[number] as Word[])[index % PAGE] = word;
}

export function wordAt(from: Pick<Letter, 'words' | 'more'>, index: number): Word {
  return index < PAGE ? from.words[index] : from.more?.[(index / PAGE) | 0]?.[index % PAGE];
}

function take(from: Letter): Word {
  return wordAt(from, from.at++);
}

const torn = (): Error => new SafeError('expected a letter that is whole, got another');

/** Nothing of a letter is used before its kind is known: what is no word would run another realm's code when it is. */
export function takeCount(from: Letter): number {
  const word = take(from);
  if (typeof word !== 'number' || !isInteger(word) || word < 0) throw torn();
  return word;
}

export function takeText(from: Letter): string {
  const word = take(from);
  if (typeof word !== 'string') throw torn();
  return word;
}

export function takePort(from: Letter): Port {
  const word = take(from);
  if (typeof word !== 'function') throw torn();
  return word;
}

export function takeBytes(from: Letter): Uint8Array {
  const word = take(from);
  if (typedArrayName(word) === undefined) throw torn();
  return word as Uint8Array;
}

export function takePlain(from: Letter): Word {
  const word = take(from);
  if ((typeof word === 'object' && word !== null) || typeof word === 'function') throw torn();
  return word;
}

/** @returns false when the object was written before: then a word that says so is. */
export function isFirst(to: Letter, value: object): boolean {
  to.seen ??= new SafeMap();
  const number = mapGet(to.seen, value) as number | undefined;
  if (number !== undefined) {
    put(to, TAG.again);
    put(to, number);
    return false;
  }
  mapSet(to.seen, value, to.objects++);
  return true;
}
