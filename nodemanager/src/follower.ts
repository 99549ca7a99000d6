import type { KeyId, RequestError, Result } from '@potluck/protocol';
import type { NodeLimits } from './limits.ts';
import type { LogChunk, LogRing } from './log-ring.ts';

/** A reply of a row; nothing follows the one without `more`. */
export interface LogReply {
  readonly result: Result<'ReadVesselLog'>;
  readonly attachment: Uint8Array;
  readonly more: boolean;
}

/** How the program ended whose log is followed. */
export type LastWord = Pick<Result<'ReadVesselLog'>, 'state' | 'ending'>;

export interface FollowerInit {
  /** Whose right it is to read. */
  readonly signer: KeyId;
  /** Where to begin; with the oldest that is kept unless given. */
  readonly from?: number | undefined;
  readonly limits: Pick<NodeLimits, 'followChunkBytes' | 'followPauseMs' | 'followSilenceMs'>;
}

/**
 * One who reads a vessel's log as it is written. It has a place in the log and nothing else, so one who is slow costs
 * nothing: what the log drops meanwhile, he is told to have missed.
 */
export class Follower {
  readonly signer: KeyId;
  readonly #log: LogRing;
  readonly #init: FollowerInit;
  #end: (LastWord & { readonly at: number }) | undefined;
  #error: RequestError | undefined;
  #wake: () => void = () => undefined;

  constructor(log: LogRing, init: FollowerInit) {
    this.#log = log;
    this.#init = init;
    this.signer = init.signer;
  }

  /** The program has ended: what was logged until now is still sent. */
  finish(word: LastWord): void {
    this.#end ??= { ...word, at: this.#log.end };
    this.#wake();
  }

  /** Ends it; nothing more is sent. */
  fail(error: RequestError): void {
    this.#error ??= error;
    this.#wake();
  }

  /** Reads on each time that the last reply was taken. Ends in silence by the signal. @throws RequestError by `fail` */
  async *replies(signal: AbortSignal): AsyncGenerator<LogReply, void, undefined> {
    const { followChunkBytes, followPauseMs, followSilenceMs } = this.#init.limits;
    let at = this.#start();
    let isDue = true; // The first reply says at once that the log is followed.
    const unwatch = this.#log.watch(() => this.#wake());
    try {
      while (!signal.aborted) {
        if (this.#error !== undefined) throw this.#error;
        const chunk = this.#log.chunk(at, { until: this.#end?.at ?? this.#log.end, mostBytes: followChunkBytes });
        at = chunk.next;
        const reply = this.#reply(chunk);
        const isNews = chunk.droppedBytes + chunk.bytes.length > 0;
        if (isNews || isDue || !reply.more) yield reply;
        if (!reply.more) return;
        isDue = !isNews && !(await this.#pause(followSilenceMs, signal, 'wake'));
        // Short lines are gathered for a moment, so that a chatty program does not have each of them signed.
        if (isNews && chunk.bytes.length < followChunkBytes) await this.#pause(followPauseMs, signal, 'sleep');
      }
    } finally {
      unwatch();
    }
  }

  #start(): number {
    const { from } = this.#init;
    return Math.min(from ?? this.#log.origin, this.#log.end);
  }

  #reply({ droppedBytes, bytes, next }: LogChunk): LogReply {
    const { at, ...word } = this.#end ?? { at: Number.POSITIVE_INFINITY };
    const isLast = next >= at;
    return { result: { droppedBytes, next, ...(isLast && word) }, attachment: bytes, more: !isLast };
  }

  /** @returns false when the time is over. */
  async #pause(timeMs: number, signal: AbortSignal, until: 'wake' | 'sleep'): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeMs);
    const end = (): void => resolve(true);
    this.#wake = () => {
      if (until === 'wake' || this.#end !== undefined || this.#error !== undefined) end();
    };
    signal.addEventListener('abort', end, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      this.#wake = () => undefined;
    }
  }
}
