import { needFunction } from './data.ts';
import { argumentError, callProgram, errorOf } from './errors.ts';
import { finite, isArray, mapDelete, mapForEach, mapHas, mapSet, SafeMap } from './primordials.ts';
import { queueMicrotask } from './tasks.ts';
import { schedule } from './time.ts';

/** Only code that holds this makes signals. */
const KEY = {};
let abortSignal: (signal: AbortSignal, reason: unknown) => void;
const MOST_TIMEOUT_MS = 1e12;

/** What throws here ends the program, and the listeners after it run all the same. */
function notify(fn: unknown, event: unknown): void {
  try {
    callProgram(fn, [event]);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function needAbort(type: unknown): void {
  if (type !== 'abort') throw argumentError("the event 'abort'", type);
}

export class AbortSignal {
  #aborted = false;
  #reason: unknown;
  /** What to call, and whether once only: of no meaning here, for a signal is aborted once. */
  #listeners = new SafeMap<unknown, boolean>();
  /** Signals that `any` made of this one, with all that they follow. */
  #followers = new SafeMap<AbortSignal, Map<AbortSignal, boolean>>();
  onabort: unknown = null;

  constructor(key?: unknown) {
    if (key !== KEY) throw argumentError('an AbortController to make a signal', key);
  }

  get aborted(): boolean {
    return this.#aborted;
  }
  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  addEventListener(type: unknown, fn: unknown): void {
    needAbort(type);
    const listener = needFunction(fn, 'what to call');
    if (!this.#aborted && !mapHas(this.#listeners, listener)) mapSet(this.#listeners, listener, true);
  }

  removeEventListener(type: unknown, fn: unknown): void {
    needAbort(type);
    mapDelete(this.#listeners, fn);
  }

  static #abort(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason === undefined ? errorOf('AbortError', 'expected to go on, got an abort') : reason;
    const event = { type: 'abort', target: signal, currentTarget: signal };
    const listeners = signal.#listeners;
    signal.#listeners = new SafeMap();
    if (typeof signal.onabort === 'function') notify(signal.onabort, event);
    mapForEach(listeners, (_, fn) => notify(fn, event));
    const followers = signal.#followers;
    signal.#followers = new SafeMap();
    mapForEach(followers, (sources, follower) => {
      mapForEach(sources, (_, source) => mapDelete((source as AbortSignal).#followers, follower));
      AbortSignal.#abort(follower as AbortSignal, signal.#reason);
    });
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal(KEY);
    AbortSignal.#abort(signal, reason);
    return signal;
  }

  static timeout(milliseconds: unknown): AbortSignal {
    const ms = milliseconds;
    if (typeof ms !== 'number' || !finite(ms) || ms < 0 || ms > MOST_TIMEOUT_MS) {
      throw argumentError(`milliseconds from 0 to ${MOST_TIMEOUT_MS}`, ms);
    }
    const signal = new AbortSignal(KEY);
    const late = () => AbortSignal.#abort(signal, errorOf('TimeoutError', `expected an end within ${ms} ms, got none`));
    schedule(ms / 1000, late, []);
    return signal;
  }
  /** Aborted as soon as one of the others is; then it listens to none of them any more. */
  static any(signals: unknown): AbortSignal {
    if (!isArray(signals)) throw argumentError('an array of signals', signals);
    const sources = new SafeMap<AbortSignal, boolean>();
    for (let index = 0; index < signals.length; index++) {
      const source: unknown = signals[index];
      if (typeof source !== 'object' || source === null || !(#aborted in source))
        throw argumentError('a signal', source);
      mapSet(sources, source, true);
    }
    const signal = new AbortSignal(KEY);
    mapForEach(sources, (_, source) => AbortSignal.#follow(signal, source as AbortSignal, sources));
    return signal;
  }

  static #follow(signal: AbortSignal, source: AbortSignal, sources: Map<AbortSignal, boolean>): void {
    if (source.#aborted) AbortSignal.#abort(signal, source.#reason);
    if (signal.#aborted) return;
    mapSet(source.#followers, signal, sources);
  }

  static {
    abortSignal = AbortSignal.#abort;
  }
}

export class AbortController {
  readonly #signal = new AbortSignal(KEY);

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason?: unknown): void {
    abortSignal(this.#signal, reason);
  }
}
