import { forgiven } from './bridge.ts';
import { callPort, portOf } from './crossing.ts';
import { argumentError } from './errors.ts';
import { placeOf } from './handles.ts';
import { lineOf } from './inspect.ts';
import { isClosed, isData, isPlain, isPromise } from './kinds.ts';
import {
  type Letter,
  letter,
  type Port,
  put,
  TAG,
  takeCount,
  takePlain,
  takePort,
  takeText,
  type Word,
  wordAt,
} from './letter.ts';
import {
  apply,
  asyncIterator,
  defineData,
  defineHidden,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  iterator,
  ObjectPrototype,
  ownKeys,
  promiseThen,
  SafePromise,
  SafeWeakMap,
  setData,
  slice,
  type Table,
  table,
  weakGet,
  weakSet,
} from './primordials.ts';

/** Of a function that goes across: nobody has to await what it returns; its values are made text where it is called. */
export const FLAG = { none: 0, forgiven: 1, text: 2 } as const;

/** A function's, a promise's or an object's way across: its tag, its port, and what makes it known. */
type Words = Letter;

/** Both what is ours and went out, and what came from another realm. */
const descriptions = new SafeWeakMap<object, unknown>();
/** What a port stands for here: our own value, or what we made for another realm's. */
const behind = new SafeWeakMap<object, unknown>();
const flags = new SafeWeakMap<object, unknown>();

/** Marks a function for when it goes across. */
export function flag<T extends object>(fn: T, value: number): T {
  weakSet(flags, fn, value);
  return fn;
}

const NAME_LENGTH = 100;
/** @returns the words by which something goes across that is not data, undefined for data. @throws RepyArgumentError */
export function described(value: object): Words | undefined {
  const known = weakGet(descriptions, value) as Words | undefined;
  if (known !== undefined) {
    // Who gets it hears of its failure; the one that stands for it here is nobody's any more.
    if (wordAt(known, 0) === TAG.promise) forgiven(value as Promise<unknown>);
    return known;
  }
  const words = describe(value);
  if (words === undefined) return undefined;
  weakSet(descriptions, value, words);
  weakSet(behind, wordAt(words, 1) as Port, value);
  return words;
}

/** @returns the port of a function. */
export function wayOf(fn: object): Port {
  return wordAt(described(fn) as Words, 1) as Port;
}

function describe(value: object): Words | undefined {
  if (typeof value === 'function') {
    const run = value as (...args: unknown[]) => unknown;
    return wordsOf(TAG.function, portOf(run), nameOf(value), flagOf(value));
  }
  if (isPlain(value)) return undefined;
  if (isPromise(value)) return describePromise(value);
  return isData(value) ? undefined : describeHandle(value);
}

function nameOf(fn: object): string {
  const name = getOwnPropertyDescriptor(fn, 'name')?.value as unknown;
  return typeof name === 'string' ? slice(name, 0, NAME_LENGTH) : '';
}

function flagOf(fn: object): number {
  return (weakGet(flags, fn) ?? FLAG.none) as number;
}

function wordsOf(...words: Word[]): Words {
  const own = letter();
  for (let index = 0; index < words.length; index++) put(own, words[index]);
  return own;
}

/** The call of its port takes a function that hears what became of it; with an iterator if it was given one. */
function describePromise(value: object): Words {
  const hear = (given: unknown): void => {
    const settle = given as (well: boolean, value: unknown) => void;
    const tell = (well: boolean) => (result: unknown) => {
      try {
        settle(well, result);
      } catch (error) {
        settle(false, error);
      }
    };
    promiseThen(value, tell(true), tell(false));
  };
  const iterate = getOwnPropertyDescriptor(value, asyncIterator)?.value as unknown;
  const way = typeof iterate === 'function' ? wayOf(iterate) : undefined;
  return wordsOf(TAG.promise, portOf(hear), way);
}

/** An object of a class: its methods go across, what it holds does not, but for the place of a listener or a socket. */
function describeHandle(value: object): Words {
  const methods = table<unknown>();
  const names = letter();
  let count = 0;
  for (let at = getPrototypeOf(value); at !== null && at !== ObjectPrototype; at = getPrototypeOf(at)) {
    if (isClosed(at)) throw argumentError('data, a function, a promise or an object of a class to pass on', value);
    const keys = ownKeys(at);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string | symbol;
      if (key === 'constructor' || (typeof key === 'symbol' && key !== asyncIterator && key !== iterator)) continue;
      const method = getOwnPropertyDescriptor(at, key)?.value as unknown;
      if (typeof method !== 'function') continue;
      methods[count++] = method;
      put(names, typeof key === 'string' ? key : key === iterator ? null : undefined);
      put(names, flagOf(method));
    }
  }
  const place = placeOf(value);
  const words = wordsOf(
    TAG.handle,
    portOf((...args) => callMethod(methods, value, args)),
    place?.ip,
    place?.port,
    count,
  );
  for (let index = 0; index < names.length; index++) put(words, wordAt(names, index));
  return words;
}

/** The first argument is the method's number. */
function callMethod(methods: Table<unknown>, self: object, given: readonly unknown[]): unknown {
  const args: unknown[] = [];
  for (let index = 1; index < given.length; index++) setData(args, index - 1, given[index]);
  return apply(methods[given[0] as number] as () => unknown, self, args);
}

/** @param at where the description begins, of which the tag is read. @returns what stands here for what is described */
export function imported(tag: number, from: Letter): unknown {
  const start = from.at - 1;
  const port = takePort(from);
  const known = weakGet(behind, port);
  const made = read(tag, port, from);
  if (known !== undefined) return known;
  const value = made();
  const words = letter();
  for (let index = start; index < from.at; index++) put(words, wordAt(from, index));
  weakSet(descriptions, value, words);
  weakSet(behind, port, value);
  return value;
}

/** Reads the rest of a description. @returns what makes of it what stands for it here */
function read(tag: number, port: Port, from: Letter): () => object {
  if (tag === TAG.function) {
    const name = takeText(from);
    const kind = takeCount(from);
    return () => caller(port, name, kind);
  }
  if (tag === TAG.promise) {
    const iterate = wordAt(from, from.at) === undefined ? undefined : takePort(from);
    if (iterate === undefined) from.at++;
    return () => promiseOf(port, iterate, from);
  }
  const ip = takePlain(from);
  const number = takePlain(from);
  const count = takeCount(from);
  const first = from.at;
  from.at += 2 * count;
  return () => handleOf(port, { ip, number, count, words: from, first });
}

function caller(port: Port, name: string, kind: number): object {
  const call = (...args: unknown[]) => callPort(port, args);
  const forgiving = (...args: unknown[]) => forgivenIfPromise(callPort(port, args));
  const written = (...args: unknown[]) => callPort(port, [lineOf(args)]);
  const wrapper = kind === FLAG.forgiven ? forgiving : kind === FLAG.text ? written : call;
  defineHidden(wrapper, 'name', name);
  return wrapper;
}

function forgivenIfPromise(value: unknown): unknown {
  return typeof value === 'object' && value !== null && isPromise(value) ? forgiven(value as Promise<unknown>) : value;
}

function promiseOf(port: Port, iterate: Port | undefined, from: Letter): object {
  let settle: (well: unknown, value: unknown) => void = () => {};
  let refuse: (error: unknown) => void = () => {};
  const promise = new SafePromise((resolve, reject) => {
    settle = (well, value) => (well === true ? resolve(value) : reject(value));
    refuse = reject;
  });
  if (iterate !== undefined) defineHidden(promise, asyncIterator, caller(iterate, '', FLAG.none));
  from.after ??= table();
  from.after[from.afters++] = () => {
    try {
      callPort(port, [settle]);
    } catch (error) {
      refuse(error);
    }
  };
  return promise;
}

interface Described {
  readonly ip: Word;
  readonly number: Word;
  readonly count: number;
  readonly words: Letter;
  readonly first: number;
}

function handleOf(port: Port, { ip, number, count, words, first }: Described): object {
  const handle = {};
  if (ip !== undefined) defineData(handle, 'ip', ip);
  if (number !== undefined) defineData(handle, 'port', number);
  for (let index = 0; index < count; index++) {
    const key = wordAt(words, first + 2 * index);
    const forgiving = wordAt(words, first + 2 * index + 1) === FLAG.forgiven;
    const method = (...given: unknown[]) => {
      const args: unknown[] = [index];
      for (let at = 0; at < given.length; at++) setData(args, at + 1, given[at]);
      const value = callPort(port, args);
      return forgiving ? forgivenIfPromise(value) : value;
    };
    defineHidden(handle, key === null ? iterator : key === undefined ? asyncIterator : (key as string), method);
  }
  return handle;
}
