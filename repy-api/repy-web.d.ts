/**
 * What authors of JavaScript expect wherever it runs, as the web has it, with the differences that are said here. Types
 * belong to `repy.d.ts`. A value that a call refuses is a `RepyArgumentError`, where the web has classes of its own.
 */

/**
 * Calls a function once, `delay` milliseconds from now and never before. Holds one `event` until then. As in browsers a
 * delay is an integer of 32 bits: what is no number, negative or from 2147483648 on counts as 0; `settimer` waits longer.
 * @returns a number for `clearTimeout`. @throws ResourceExhaustedError; RepyArgumentError not a function: code in a string
 * is refused
 * @example setTimeout((name) => log('time is up,', name, '\n'), 1500, 'Ada');
 */
declare function setTimeout(fn: () => void, delay?: number): number;
declare function setTimeout<Args extends unknown[]>(fn: (...args: Args) => void, delay?: number, ...args: Args): number;

/**
 * Calls a function again and again, every `delay` milliseconds but at least 4, counted from the end of the call before.
 * Holds one `event` until `clearInterval`. @returns and @throws as `setTimeout`
 * @example const id = setInterval(() => sendmess('198.51.100.7', 54321, 'alive'), 10_000);
 */
declare function setInterval(fn: () => void, delay?: number): number;
declare function setInterval<Args extends unknown[]>(
  fn: (...args: Args) => void,
  delay?: number,
  ...args: Args
): number;

/** Takes back a timer of `setTimeout` or `setInterval`; anything else is let be. @example clearTimeout(setTimeout(log, 9)); */
declare function clearTimeout(id?: number): void;
/** The same as `clearTimeout`. @example const id = setInterval(() => clearInterval(id), 20); */
declare function clearInterval(id?: number): void;

/** Calls a function after what runs now and before anything else. @throws RepyArgumentError @example queueMicrotask(() => log('soon')); */
declare function queueMicrotask(fn: () => unknown): void;

/**
 * Text to bytes; always UTF-8.
 * @example const bytes = new TextEncoder().encode('grüß dich');
 */
declare class TextEncoder {
  readonly encoding: 'utf-8';
  /** Half a surrogate pair becomes U+FFFD. */
  encode(text?: string): Uint8Array;
  /** Writes whole characters, as many as there is room for. @returns UTF-16 units read, bytes written. */
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}

/**
 * Bytes to text; UTF-8 only, other encodings are a `RepyArgumentError`. Bytes that are no UTF-8 become U+FFFD; with
 * `fatal` they are a `RepyArgumentError`. A byte order mark is left out unless `ignoreBOM`.
 * @example const text = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(104, 105));
 */
declare class TextDecoder {
  constructor(label?: 'utf-8' | 'utf8', options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: 'utf-8';
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** With `stream` a character that is cut waits for the next call. */
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

/**
 * Base64 to text of which each character is one byte; white space and missing padding are forgiven.
 * @throws RepyArgumentError not base64
 * @example atob('aGk=') === 'hi';
 */
declare function atob(base64: string): string;

/**
 * Text to base64. @throws RepyArgumentError a character above 255: encode it first
 * @example btoa('hi') === 'aGk=';
 */
declare function btoa(text: string): string;

/**
 * A deep copy of plain data: values that are no objects, arrays, objects made by `{}` or without a prototype, `Map`,
 * `Set`, `Date`, `ArrayBuffer`, typed arrays and `DataView`; cycles and shared parts stay so.
 * @throws RepyArgumentError for anything else: functions, symbols, errors, regular expressions, boxed values, and
 * instances of classes, which the web would turn into plain objects. Nothing is transferred: a second argument is refused.
 * @example const copy = structuredClone({ when: new Date(), seen: new Map([['198.51.100.7', 1]]) });
 */
declare function structuredClone<Data>(value: Data): Data;

/** The only event there is: `'abort'`. */
interface AbortEvent {
  readonly type: 'abort';
  readonly target: AbortSignal;
  readonly currentTarget: AbortSignal;
}

/**
 * Tells once that something should stop. No call of the Repy API takes one: it is for an author's own functions. What a
 * listener throws ends the program; the other listeners run first.
 * @example const { signal } = new AbortController(); signal.addEventListener('abort', ({ target }) => log(target.reason));
 */
declare class AbortSignal {
  private constructor();
  readonly aborted: boolean;
  /** What `abort` was given, else an `AbortError`; a `TimeoutError` of `AbortSignal.timeout`. */
  readonly reason: unknown;
  onabort: ((event: AbortEvent) => unknown) | null;
  /** @throws its reason, if it is aborted. */
  throwIfAborted(): void;
  addEventListener(type: 'abort', fn: (event: AbortEvent) => unknown, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', fn: (event: AbortEvent) => unknown): void;
  /** @returns one that is aborted. @example AbortSignal.abort('enough').throwIfAborted(); */
  static abort(reason?: unknown): AbortSignal;
  /**
   * @returns one that aborts after so many milliseconds. Holds one `event` until then, and with it the program.
   * @throws ResourceExhaustedError; RepyArgumentError not from 0 to 1e12
   * @example const signal = AbortSignal.timeout(5000);
   */
  static timeout(milliseconds: number): AbortSignal;
  /** @returns one that aborts with the first of others, and is kept as long as they are. @example AbortSignal.any([AbortSignal.timeout(5000)]).aborted; */
  static any(signals: readonly AbortSignal[]): AbortSignal;
}

/** @example const controller = new AbortController(); controller.abort('enough'); */
declare class AbortController {
  readonly signal: AbortSignal;
  /** Does nothing the second time. */
  abort(reason?: unknown): void;
}

/** A typed array of integers. */
type RepyIntegers =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Randomness from the system, charged to `random`; above the rate these calls wait, and the whole program with them. */
declare const crypto: {
  /**
   * Fills an array of integers of at most 65536 bytes. @returns the same array. @throws RepyArgumentError;
   * ResourceExhaustedError the vessel may use no randomness at all
   * @example const [dice = 0] = crypto.getRandomValues(new Uint32Array(1));
   */
  getRandomValues<Integers extends RepyIntegers>(array: Integers): Integers;
  /** @returns a UUID of version 4, for 16 bytes. @throws ResourceExhaustedError @example log(crypto.randomUUID()); */
  randomUUID(): string;
};
