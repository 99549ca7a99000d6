// #region Web
// What JavaScript has wherever it runs, as the web has it, with the differences that are said here. A value that a call
// refuses is a `RepyArgumentError`, where the web has classes of its own.

/**
 * Text to bytes; always UTF-8.
 * @example
 * const bytes = new TextEncoder().encode('ü');
 * log(bytes, '\n'); // logs: <195, 188>
 */
declare class TextEncoder {
  readonly encoding: 'utf-8';
  /**
   * All of a text. Half a surrogate pair becomes U+FFFD.
   * @example
   * log(new TextEncoder().encode('hi').length, '\n'); // logs: 2
   */
  encode(text?: string): Uint8Array;
  /**
   * Writes whole characters, as many as there is room for.
   * @returns UTF-16 units read, bytes written
   * @throws RepyArgumentError
   * @example
   * const { read, written } = new TextEncoder().encodeInto('hello', new Uint8Array(3));
   * log(read, written, '\n'); // logs: 3 3
   */
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}

/**
 * Bytes to text; UTF-8 only, other encodings are refused. Bytes that are no UTF-8 become U+FFFD, or are refused with
 * `fatal`. A byte order mark is left out unless `ignoreBOM`.
 * @throws RepyArgumentError
 * @example
 * const decoder = new TextDecoder('utf-8', { fatal: true });
 * log(decoder.decode(Uint8Array.of(104, 105)), '\n'); // logs: hi
 */
declare class TextDecoder {
  constructor(label?: 'utf-8' | 'utf8', options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: 'utf-8';
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /**
   * With `stream` a character that is cut waits for the next call.
   * @throws RepyArgumentError no bytes, or with `fatal` no UTF-8
   * @example
   * const decoder = new TextDecoder();
   * const half = decoder.decode(Uint8Array.of(195), { stream: true });
   * log(half.length, decoder.decode(Uint8Array.of(188)), '\n'); // logs: 0 ü
   */
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

/**
 * Base64 to text of which each character is one byte; white space and missing padding are forgiven.
 * @throws RepyArgumentError not base64
 * @example
 * log(atob('aGk='), '\n'); // logs: hi
 */
declare function atob(base64: string): string;

/**
 * Text to base64.
 * @throws RepyArgumentError a character above 255: encode it first
 * @example
 * log(btoa('hi'), '\n'); // logs: aGk=
 */
declare function btoa(text: string): string;

/**
 * A deep copy of plain data: values that are no objects, arrays, objects made by `{}` or without a prototype, `Map`,
 * `Set`, `Date`, `ArrayBuffer`, typed arrays and `DataView`; cycles and shared parts stay so.
 * @throws RepyArgumentError anything else: functions, symbols, errors, regular expressions, boxed values, and instances of
 * classes, which the web would turn into plain objects. Nothing is transferred: a second argument is refused
 * @example
 * const copy = structuredClone({ seen: new Map([['198.51.100.7', 1]]) });
 * log(copy, '\n'); // logs: { seen: Map { "198.51.100.7" => 1 } }
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
 * @example
 * const { signal } = new AbortController();
 * log(signal instanceof AbortSignal, signal.aborted, '\n'); // logs: true false
 */
declare class AbortSignal {
  private constructor();
  readonly aborted: boolean;
  /** What `abort` was given, else an `AbortError`; a `TimeoutError` of `AbortSignal.timeout`. */
  readonly reason: unknown;
  onabort: ((event: AbortEvent) => unknown) | null;
  /**
   * Throws its reason, if it is aborted.
   * @example
   * new AbortController().signal.throwIfAborted();
   */
  throwIfAborted(): void;
  /**
   * Calls a function when it aborts; one that is aborted already calls nothing.
   * @throws RepyArgumentError
   * @example
   * const controller = new AbortController();
   * controller.signal.addEventListener('abort', ({ target }) => log(target.reason, '\n'));
   * controller.abort('enough'); // logs: enough
   */
  addEventListener(type: 'abort', fn: (event: AbortEvent) => unknown, options?: { once?: boolean }): void;
  /**
   * Takes such a function back.
   * @throws RepyArgumentError
   * @example
   * const { signal } = new AbortController();
   * signal.addEventListener('abort', exitall);
   * signal.removeEventListener('abort', exitall);
   */
  removeEventListener(type: 'abort', fn: (event: AbortEvent) => unknown): void;
  /**
   * One that is aborted.
   * @example
   * log(AbortSignal.abort('enough').reason, '\n'); // logs: enough
   */
  static abort(reason?: unknown): AbortSignal;
  /**
   * One that aborts after so many milliseconds; until then it holds the program.
   * @throws RepyArgumentError not from 0 to 1e12
   * @throws ResourceExhaustedError no `event` is left
   * @charges 1 `event` until then
   * @example
   * AbortSignal.timeout(50).onabort = ({ target }) => log(target.reason, '\n');
   */
  static timeout(milliseconds: number): AbortSignal;
  /**
   * One that aborts with the first of others, and is kept as long as they are.
   * @throws RepyArgumentError
   * @example
   * log(AbortSignal.any([AbortSignal.abort()]).aborted, '\n'); // logs: true
   */
  static any(signals: readonly AbortSignal[]): AbortSignal;
}

/**
 * Makes a signal, and aborts it.
 * @example
 * const controller = new AbortController();
 * controller.abort('enough');
 * log(controller.signal.aborted, '\n'); // logs: true
 */
declare class AbortController {
  readonly signal: AbortSignal;
  /**
   * Aborts the signal; does nothing the second time.
   * @example
   * new AbortController().abort();
   */
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

/** Digests of bytes. */
interface RepySubtle {
  /**
   * The digest of at most 64 MiB: by SHA-1, SHA-256, SHA-384 or SHA-512, upper or lower case. What is changed in `data`
   * afterwards is of no matter.
   * @throws RepyArgumentError another algorithm, not bytes, or too many
   * @example
   * const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode('hello'));
   * log(new Uint8Array(digest).toHex().slice(0, 8), '\n'); // logs: 2cf24dba
   */
  digest(algorithm: string | { readonly name: string }, data: ArrayBuffer | ArrayBufferView): Promise<ArrayBuffer>;
}

/** Randomness from the system, charged to `random`; above the rate these calls wait, and the whole program with them. */
declare const crypto: {
  readonly subtle: RepySubtle;
  /**
   * Fills an array of integers of at most 65536 bytes.
   * @returns the same array
   * @throws RepyArgumentError
   * @throws ResourceExhaustedError the vessel may use no randomness at all
   * @charges `random`, a byte for each
   * @example
   * const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
   * log(1 + (number % 6), '\n');
   */
  getRandomValues<Integers extends RepyIntegers>(array: Integers): Integers;
  /**
   * A UUID of version 4.
   * @throws ResourceExhaustedError the vessel may use no randomness at all
   * @charges `random`, 16 bytes
   * @example
   * log(crypto.randomUUID().length, '\n'); // logs: 36
   */
  randomUUID(): string;
};
// #endregion
