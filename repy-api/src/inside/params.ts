import { callProgram } from './errors.ts';
import { type Pair, type Pairs, parseForm, serializeForm } from './form.ts';
import {
  charCodeAt,
  getOwnPropertyDescriptor,
  iterator,
  ownKeys,
  setData,
  slice,
  type Table,
  table,
  toWellFormed,
  typeError,
} from './primordials.ts';

/** As the web takes a text: half characters become U+FFFD. */
export const webText = (value: unknown): string => toWellFormed(`${value as string}`);

export function needCount(given: readonly unknown[], least: number, call: string): void {
  if (given.length < least) throw typeError(`expected ${least} or more arguments of ${call}, got ${given.length}`);
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A list of pairs, or an object of names and values. */
function pairsOf(init: object): Pairs {
  const list = table<Pair>();
  let count = 0;
  if ((init as { [iterator]?: unknown })[iterator] !== undefined) {
    for (const item of init as Iterable<unknown>) list[count++] = pairOf(item);
    return { list, count };
  }
  for (const key of ownKeys(init)) {
    if (getOwnPropertyDescriptor(init, key)?.enumerable !== true) continue;
    list[count++] = { name: webText(key), value: webText((init as Record<PropertyKey, unknown>)[key]) };
  }
  return { list, count };
}

function pairOf(item: unknown): Pair {
  if (!isObject(item)) throw typeError('expected pairs of a name and a value, got something else');
  const parts = [...(item as Iterable<unknown>)];
  if (parts.length !== 2) throw typeError(`expected pairs of a name and a value, got ${parts.length} parts`);
  return { name: webText(parts[0]), value: webText(parts[1]) };
}

/** Only code that holds these reaches a list from outside. */
export let fillParams: (params: URLSearchParams, text: string) => void;
export let linkParams: (params: URLSearchParams, changed: (text: string) => void) => void;

/** The part of a URL after `?`, as a list of names and values. */
export class URLSearchParams {
  #list: Table<Pair> = table<Pair>();
  #count = 0;
  /** Hears of each change. */
  #changed: (text: string) => void = () => {};

  constructor(init?: unknown) {
    if (init === undefined) return;
    if (isObject(init)) {
      this.#take(pairsOf(init));
      return;
    }
    const text = webText(init);
    this.#take(parseForm(charCodeAt(text, 0) === 63 ? slice(text, 1) : text));
  }

  get size(): number {
    return this.#count;
  }

  append(...given: unknown[]): void {
    needCount(given, 2, 'append');
    const pair = { name: webText(given[0]), value: webText(given[1]) };
    this.#list[this.#count++] = pair;
    this.#tell();
  }

  delete(...given: unknown[]): void {
    needCount(given, 1, 'delete');
    const matching = this.#matching(given);
    this.#keep((pair) => !matching(pair));
    this.#tell();
  }

  get(...given: unknown[]): string | null {
    needCount(given, 1, 'get');
    const name = webText(given[0]);
    for (let index = 0; index < this.#count; index++) {
      if (this.#list[index]?.name === name) return this.#list[index]?.value ?? null;
    }
    return null;
  }

  getAll(...given: unknown[]): string[] {
    needCount(given, 1, 'getAll');
    const name = webText(given[0]);
    const values: string[] = [];
    let found = 0;
    for (let index = 0; index < this.#count; index++) {
      const pair = this.#list[index];
      if (pair?.name === name) setData(values, found++, pair.value);
    }
    return values;
  }

  has(...given: unknown[]): boolean {
    needCount(given, 1, 'has');
    const matching = this.#matching(given);
    for (let index = 0; index < this.#count; index++) {
      const pair = this.#list[index];
      if (pair !== undefined && matching(pair)) return true;
    }
    return false;
  }

  /** The first of that name is changed where it is, the others go. */
  set(...given: unknown[]): void {
    needCount(given, 2, 'set');
    const pair = { name: webText(given[0]), value: webText(given[1]) };
    let done = false;
    this.#keep((old, put) => {
      if (old.name !== pair.name) return true;
      if (!done) put(pair);
      const first = !done;
      done = true;
      return first;
    });
    if (!done) this.#list[this.#count++] = pair;
    this.#tell();
  }

  /** By names, in UTF-16 units; what has the same name stays in its order. */
  sort(): void {
    let runs = this.#list;
    for (let width = 1; width < this.#count; width *= 2) runs = merged(runs, this.#count, width);
    this.#list = runs;
    this.#tell();
  }

  forEach(...given: unknown[]): void {
    const fn = given[0];
    if (typeof fn !== 'function') throw typeError('expected a function, got something else');
    for (let index = 0; index < this.#count; index++) {
      const pair = this.#list[index];
      if (pair !== undefined) callProgram(fn, [pair.value, pair.name, this], given[1]);
    }
  }

  *entries(): Generator<[string, string]> {
    for (let index = 0; index < this.#count; index++) {
      const pair = this.#list[index];
      if (pair !== undefined) yield [pair.name, pair.value];
    }
  }

  *keys(): Generator<string> {
    for (let index = 0; index < this.#count; index++) yield this.#list[index]?.name ?? '';
  }

  *values(): Generator<string> {
    for (let index = 0; index < this.#count; index++) yield this.#list[index]?.value ?? '';
  }

  toString(): string {
    return serializeForm({ list: this.#list, count: this.#count });
  }

  get [Symbol.toStringTag](): string {
    return 'URLSearchParams';
  }

  #take({ list, count }: Pairs): void {
    this.#list = list;
    this.#count = count;
  }

  #matching(given: readonly unknown[]): (pair: Pair) => boolean {
    const name = webText(given[0]);
    const value = given[1] === undefined ? undefined : webText(given[1]);
    return (pair) => pair.name === name && (value === undefined || pair.value === value);
  }

  #keep(wanted: (pair: Pair, put: (other: Pair) => void) => boolean): void {
    const list = table<Pair>();
    let count = 0;
    for (let index = 0; index < this.#count; index++) {
      let pair = this.#list[index];
      const put = (other: Pair) => {
        pair = other;
      };
      if (pair !== undefined && wanted(pair, put)) list[count++] = pair;
    }
    this.#take({ list, count });
  }

  #tell(): void {
    const changed = this.#changed;
    changed(serializeForm({ list: this.#list, count: this.#count }));
  }

  static {
    fillParams = (params, text) => params.#take(parseForm(text));
    linkParams = (params, changed) => {
      params.#changed = changed;
    };
  }
}
const { prototype } = URLSearchParams;
Object.defineProperty(prototype, iterator, { value: prototype.entries, writable: true, configurable: true });

/** One round of a merge sort: runs of `width` become runs of twice that. */
function merged(from: Table<Pair>, count: number, width: number): Table<Pair> {
  const to = table<Pair>();
  for (let start = 0; start < count; start += 2 * width) {
    let left = start;
    let right = start + width;
    const middle = right;
    const end = right + width;
    for (let out = start; out < end && out < count; out++) {
      const a = left < middle ? from[left] : undefined;
      const b = right < end && right < count ? from[right] : undefined;
      const takeLeft = a !== undefined && (b === undefined || a.name <= b.name);
      to[out] = takeLeft ? a : b;
      if (takeLeft) left++;
      else right++;
    }
  }
  return to;
}
