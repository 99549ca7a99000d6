import { RequestError } from '@potluck/protocol';

/** One row of replies that a connection gets. */
export interface Row extends Disposable {
  /** Aborted when nobody wants the row any more. */
  readonly signal: AbortSignal;
}

/** The rows of replies that one connection gets, by the nonces of their requests. */
export class Rows {
  readonly #limit: number;
  readonly #open = new Map<string, AbortController>();
  #closed = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @throws RequestError BUSY */
  open(nonce: string): Row {
    if (this.#open.size >= this.#limit) {
      throw new RequestError('BUSY', `expected at most ${this.#limit} logs followed over one connection, got one more`);
    }
    const ends = new AbortController();
    if (this.#closed) ends.abort();
    this.#open.set(nonce, ends);
    return { signal: ends.signal, [Symbol.dispose]: () => void this.#open.delete(nonce) };
  }

  end(nonce: string): void {
    this.#open.get(nonce)?.abort();
  }

  /** The connection is gone, also for a request that is still looked at. */
  close(): void {
    this.#closed = true;
    for (const ends of this.#open.values()) ends.abort();
  }
}
