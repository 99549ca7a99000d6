import { DELAYED, OP } from '../ops.ts';
import { failure } from './errors.ts';
import { apply, charCodeAt, promiseThen, SafePromise, table } from './primordials.ts';

export type Primitive = string | number | boolean | undefined;
export type Operation = (code: number, ...args: Primitive[]) => Primitive;

let operation: Operation = () => -1;

/** The one way out of the isolate; set once, before anything else. */
export function connect(given: Operation): void {
  operation = given;
}

let before: (() => void) | undefined;

/** @param fn runs before each call of the host that `invoke` makes: what waits to be sent goes first. */
export function beforeCalls(fn: (() => void) | undefined): void {
  before = fn;
}

/** Calls the host. @throws the failure that the host answered. */
export function invoke(...call: [code: number, ...values: Primitive[]]): Primitive {
  // Not by spreading: a program may replace what iterates over arrays.
  if (before !== undefined) before();
  const answer = apply(operation, undefined, call);
  if (typeof answer !== 'number' || answer >= 0 || answer === DELAYED) return answer;
  throw failure(-answer - 1, `${operation(OP.reason)}`);
}

/** The short way for a message: no array and no list of arguments for each of them. @returns bytes, or `DETOUR`. */
export function sendOn(route: number, text: string, binary: boolean): number {
  return operation(OP.sendon, route, text, binary) as number;
}

/** The short way for messages that go together. @returns a character for each that went: its bytes. */
export function sendTogether(heads: string, texts: string): string {
  return operation(OP.sendtogether, heads, texts) as string;
}

export interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Makes the value that the program gets out of what came over the bridge. */
  readonly map: ((value: Primitive, ip: Primitive, port: Primitive) => unknown) | undefined;
}

const pending = table<Pending>();
const ignore = () => {};

/** A promise whose failure ends nothing when nobody awaits it: a fault of the network is not a fault of the program. */
export function forgiven<T>(promise: Promise<T>): Promise<T> {
  promiseThen(promise, undefined, ignore);
  return promise;
}

/** A promise that is settled from the start. */
export const settled = async (value: number) => value;

/** What a call that returns a promise throws, it rejects with. */
export function promised<T>(run: () => Promise<T>): Promise<T> {
  try {
    return run();
  } catch (error) {
    return new SafePromise((_, reject) => reject(error));
  }
}

/** @returns a promise for the answer to a request that the host took. */
export function awaitRequest(request: number, map?: Pending['map']): Promise<unknown> {
  return new SafePromise((resolve, reject) => {
    pending[request] = { resolve, reject, map };
  });
}

export function settle(request: number, value: Primitive, ip: Primitive, port: Primitive): void {
  const entry = pending[request];
  if (entry === undefined) return;
  delete pending[request];
  entry.resolve(entry.map === undefined ? value : entry.map(value, ip, port));
}

export function refuse(request: number, number: number, message: string): void {
  const entry = pending[request];
  if (entry === undefined) return;
  delete pending[request];
  entry.reject(failure(number, message));
}

/** @returns the number of a text's bytes in UTF-8, or more than `most` as soon as that is sure. */
export function utf8Length(text: string, most: number): number {
  if (text.length > most) return text.length;
  if (text.length * 3 <= most) return text.length;
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = charCodeAt(text, index);
    bytes += unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit >= 0xd800 && unit < 0xe000 ? pairBytes(text, index) : 3;
  }
  return bytes;
}

/** 2 for each half of a pair, 3 for a half that stands alone: it is sent as U+FFFD. */
function pairBytes(text: string, index: number): number {
  const unit = charCodeAt(text, index);
  const other = unit < 0xdc00 ? charCodeAt(text, index + 1) : charCodeAt(text, index - 1);
  const paired = unit < 0xdc00 ? other >= 0xdc00 && other < 0xe000 : other >= 0xd800 && other < 0xdc00;
  return paired ? 2 : 3;
}
