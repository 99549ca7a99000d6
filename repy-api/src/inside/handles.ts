import { CALL_LIMITS, OP } from '../ops.ts';
import { awaitRequest, forgiven, invoke, type Primitive, promised, settled, utf8Length } from './bridge.ts';
import { fromBinary, isBytes, lengthOf, needText, toBinary } from './data.ts';
import { argumentError } from './errors.ts';
import { asyncIterator, isInteger, promiseThen, SafePromise, table } from './primordials.ts';

/** A text or bytes, as one string and how to read it. */
export function needData(value: unknown, what: string, most: number): { text: string; binary: boolean; bytes: number } {
  if (isBytes(value)) {
    const bytes = lengthOf(value);
    return { text: bytes > most ? '' : toBinary(value), binary: true, bytes };
  }
  if (typeof value !== 'string') throw argumentError(`${what} as a string or a Uint8Array`, value);
  const text = needText(value, what);
  const bytes = utf8Length(text, most);
  return { text: bytes > most ? '' : text, binary: false, bytes };
}

/** What a connection that is iterated reads at once. */
const PIECE_BYTES = 65_536;

/**
 * @param read rejects when either side has closed: then the iteration ends.
 * @param stop what leaving the loop early does
 */
export function iteratorOf(read: () => Promise<unknown>, stop: () => unknown): unknown {
  const done = { value: undefined, done: true };
  const next = () =>
    new SafePromise<Step>((resolve, reject) => {
      promiseThen(
        read(),
        (value: unknown) => resolve({ value, done: false }),
        (error: unknown) => (isClosing(error) ? resolve(done) : reject(error)),
      );
    });
  const leave = () => {
    stop();
    return new SafePromise<Step>((resolve) => resolve(done));
  };
  const iterator = { next, return: leave, [asyncIterator]: () => iterator };
  return iterator;
}

function isClosing(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'SOCKET_CLOSED_REMOTE' || code === 'SOCKET_CLOSED_LOCAL';
}

/** A TCP connection. */
export class Socket {
  readonly #handle: number;
  readonly #binary: boolean;
  readonly ip: string;
  readonly port: number;

  constructor(handle: number, binary: boolean, ip: string, port: number) {
    this.#handle = handle;
    this.#binary = binary;
    this.ip = ip;
    this.port = port;
  }

  send(data: unknown): Promise<number> {
    return promised(() => {
      const most = CALL_LIMITS.sendBytes;
      const { text, binary, bytes } = needData(data, 'what to send', most);
      if (bytes > most) throw argumentError(`at most ${most} bytes in one send`, bytes);
      const answer = invoke(OP.send, this.#handle, text, binary);
      if (typeof answer === 'string') return settled(+answer);
      return forgiven(awaitRequest(answer as number) as Promise<number>);
    });
  }

  recv(bytes: unknown): Promise<string | Uint8Array> {
    return promised(() => {
      const most = CALL_LIMITS.recvBytes;
      if (typeof bytes !== 'number' || !isInteger(bytes) || bytes < 1 || bytes > most) {
        throw argumentError(`a number of bytes from 1 to ${most}`, bytes);
      }
      const request = invoke(OP.recv, this.#handle, bytes) as number;
      const map = this.#binary ? (data: Primitive) => fromBinary(data as string) : undefined;
      return awaitRequest(request, map) as Promise<string | Uint8Array>;
    });
  }

  /** Whether `recv` would wait now, and whether `send` would. */
  willblock(): [recv: boolean, send: boolean] {
    const answer = invoke(OP.willblock, this.#handle) as number;
    return [answer % 2 === 1, answer >= 2];
  }

  close(): boolean {
    return invoke(OP.close, this.#handle) === 1;
  }

  /** What comes, in pieces, until either side has closed. */
  [asyncIterator](): unknown {
    return iteratorOf(
      () => this.recv(PIECE_BYTES),
      () => this.close(),
    );
  }

  static handleOf(value: unknown): number | undefined {
    return typeof value === 'object' && value !== null && #handle in value ? value.#handle : undefined;
  }
}

interface Item {
  readonly value: unknown;
}
type Step = { value: unknown; done: boolean };

/** What `recvmess` and `waitforconn` return: to be stopped, or to be iterated when no function was given. */
export class Listener {
  readonly #handle: number;
  readonly #iterated: boolean;
  readonly #overflow: (value: unknown) => void;
  readonly #waiting = table<Item>();
  readonly #readers = table<(step: Step) => void>();
  #firstItem = 0;
  #nextItem = 0;
  #firstReader = 0;
  #nextReader = 0;
  #closed = false;
  readonly ip: string;
  readonly port: number;

  constructor(handle: number, iterated: boolean, place: { ip: string; port: number }, overflow: (v: unknown) => void) {
    this.#handle = handle;
    this.#iterated = iterated;
    this.#overflow = overflow;
    this.ip = place.ip;
    this.port = place.port;
  }

  /** @returns false if it was closed before. */
  close(): boolean {
    return closeListener(this);
  }

  [asyncIterator](): unknown {
    if (!this.#iterated) throw argumentError('a listener without a function to iterate over', 'one with a function');
    const iterator = {
      next: () => this.#read(),
      return: () => {
        this.close();
        return new SafePromise<Step>((resolve) => resolve({ value: undefined, done: true }));
      },
      [asyncIterator]: () => iterator,
    };
    return iterator;
  }

  #read(): Promise<Step> {
    return new SafePromise((resolve) => {
      const item = this.#waiting[this.#firstItem];
      if (item !== undefined) {
        delete this.#waiting[this.#firstItem++];
        resolve({ value: item.value, done: false });
      } else if (this.#closed) {
        resolve({ value: undefined, done: true });
      } else {
        this.#readers[this.#nextReader++] = resolve;
      }
    });
  }

  #push(value: unknown): void {
    const reader = this.#readers[this.#firstReader];
    if (reader !== undefined) {
      delete this.#readers[this.#firstReader++];
      reader({ value, done: false });
    } else if (this.#nextItem - this.#firstItem < CALL_LIMITS.waitingMessages) {
      this.#waiting[this.#nextItem++] = { value };
    } else {
      this.#overflow(value);
    }
  }

  #end(): void {
    this.#closed = true;
    while (this.#firstReader < this.#nextReader) {
      const reader = this.#readers[this.#firstReader];
      delete this.#readers[this.#firstReader++];
      reader?.({ value: undefined, done: true });
    }
  }

  static handleOf(value: unknown): number | undefined {
    return typeof value === 'object' && value !== null && #handle in value ? value.#handle : undefined;
  }
  static read(listener: Listener): Promise<Step> {
    return listener.#read();
  }
  /** Forgets what waits. @param fn gets each value */
  static drain(listener: Listener, fn: (value: unknown) => void): void {
    while (listener.#firstItem < listener.#nextItem) {
      const item = listener.#waiting[listener.#firstItem];
      delete listener.#waiting[listener.#firstItem++];
      if (item !== undefined) fn(item.value);
    }
  }
  static push(listener: Listener, value: unknown): void {
    listener.#push(value);
  }
  static end(listener: Listener): void {
    listener.#end();
  }
}

const { handleOf, end } = Listener;
const { handleOf: socketHandle } = Socket;
let forget: (handle: number) => void = () => {};

/** @param fn hears of each listener that closes. */
export function onListenerClose(fn: (handle: number) => void): void {
  forget = fn;
}

export function closeListener(listener: Listener): boolean {
  const handle = handleOf(listener);
  if (handle === undefined) return false;
  end(listener);
  forget(handle);
  return invoke(OP.close, handle) === 1;
}

/** @returns the address of a listener or a connection, which is no secret of it; undefined for anything else. */
export function placeOf(value: object): { readonly ip: string; readonly port: number } | undefined {
  if (handleOf(value) === undefined && socketHandle(value) === undefined) return undefined;
  return value as Listener | Socket;
}
