import { z } from 'zod';
import { PeerError, RequestError } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Where a reply stands among those to one request: from 0 on, and whether another one follows it. */
export const placeSchema = z.strictObject({ number: z.int().min(0), more: z.boolean() });
export type RowPlace = z.infer<typeof placeSchema>;

export interface Reply {
  readonly result: unknown;
  readonly attachment: Uint8Array;
}

export interface ReplyRowInit {
  /** The longest silence between two replies. */
  readonly silenceMs: number;
  /** Ends the row with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with true when the reader is so far behind that no more should come, and with false when it may again. */
  readonly hold: (on: boolean) => void;
}

/**
 * The replies to one request that gets a row of them, in their order: each is signed together with its place, so nobody
 * between here and the node can leave one out, repeat one or turn them round. For one reader, who reads or closes it.
 */
export class ReplyRow {
  /** Settles with the first reply. @throws RequestError, PeerError, or whatever the row failed with instead */
  readonly opened: Promise<void>;
  readonly #init: ReplyRowInit;
  readonly #replies: Reply[] = [];
  #heldBytes = 0;
  #isHeld = false;
  #expected = 0;
  #over = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  readonly #opened = Promise.withResolvers<void>();
  readonly #abort = (): void => this.fail(this.#init.signal?.reason);

  constructor(init: ReplyRowInit) {
    this.#init = init;
    this.opened = this.#opened.promise;
    this.opened.catch(() => undefined); // Its reader hears of it.
    init.signal?.addEventListener('abort', this.#abort, { once: true });
    if (init.signal?.aborted) this.#abort();
    this.#listen();
  }

  /** Whether no more comes. */
  get over(): boolean {
    return this.#over;
  }

  /** @throws PeerError BAD_REPLY: it is not the next one of the row */
  take(place: RowPlace | undefined, outcome: Reply | RequestError): void {
    const refused = outcome instanceof RequestError;
    // A refusal of the request itself has no place.
    if (place?.number !== this.#expected && !(refused && place === undefined && this.#expected === 0)) {
      throw new PeerError('BAD_REPLY', `expected reply ${this.#expected} of a row, got ${place?.number ?? 'another'}`);
    }
    this.#expected += 1;
    if (refused) {
      this.fail(outcome);
      return;
    }
    this.#replies.push(outcome);
    this.#heldBytes += bytesOf(outcome);
    this.#over = place?.more === false;
    this.#hold(this.#isHeld || this.#heldBytes > LIMITS.rowHeldBytes);
    this.#listen();
    this.#opened.resolve();
    this.#wake();
  }

  /** Ends the row behind what has come. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#over = true;
    clearTimeout(this.#silence);
    this.#opened.reject(this.#error);
    this.#wake();
  }

  /** Nobody reads it any more. */
  close(): void {
    this.#init.signal?.removeEventListener('abort', this.#abort);
    this.#hold(false);
    clearTimeout(this.#silence);
  }

  /** @throws RequestError, PeerError, or whatever the row failed with, behind the replies that had come */
  async *read(): AsyncGenerator<Reply, void, undefined> {
    try {
      for (;;) {
        const reply = this.#replies.shift();
        if (reply !== undefined) {
          this.#heldBytes -= bytesOf(reply);
          if (this.#heldBytes === 0) this.#hold(false);
          yield reply;
        } else if (this.#over) {
          if (this.#error !== undefined) throw this.#error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.close();
    }
  }

  #hold(on: boolean): void {
    if (on === this.#isHeld) return;
    this.#isHeld = on;
    this.#init.hold(on);
    this.#listen();
  }

  /** A row that we hold up ourselves is not silent. */
  #listen(): void {
    clearTimeout(this.#silence);
    if (this.#over || this.#isHeld) return;
    const { silenceMs } = this.#init;
    this.#silence = setTimeout(() => {
      this.fail(new PeerError('TIMEOUT', `expected another reply within ${silenceMs / 1000} s, got none`));
    }, silenceMs);
  }
}

/** A result has been read by its schema, which bounds it. */
const RESULT_BYTES = 4096;

function bytesOf({ attachment }: Reply): number {
  return attachment.byteLength + RESULT_BYTES;
}
