import { describeError } from '@potluck/protocol';
import type { Logger } from 'pino';
import { BUS_LIMITS } from '../limits.ts';

export interface InboxInit<M> {
  readonly logger: Logger;
  onMessage(message: M): Promise<void> | void;
  onGap(): Promise<void> | void;
}

/** What waits for one subscriber, bounded: who is too slow is told to look again instead of all that he missed. */
export class Inbox<M> {
  readonly #init: InboxInit<M>;
  #waiting: M[] = [];
  #gap = false;
  #busy = false;
  #closed = false;

  constructor(init: InboxInit<M>) {
    this.#init = init;
  }

  put(message: M): void {
    if (this.#waiting.length >= BUS_LIMITS.waitingMessages) {
      this.#waiting = [];
      this.#gap = true;
    }
    this.#waiting.push(message);
    void this.#drain();
  }

  /** What waits is covered by the look that follows. */
  gap(): void {
    this.#waiting = [];
    this.#gap = true;
    void this.#drain();
  }

  close(): void {
    this.#closed = true;
    this.#waiting = [];
  }

  async #drain(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    // No publisher runs a subscriber's code within its own.
    await Promise.resolve();
    while (!this.#closed && (this.#gap || this.#waiting.length > 0)) {
      try {
        await this.#next();
      } catch (error) {
        this.#init.logger.error({ error: describeError(error) }, 'a subscriber failed');
      }
    }
    this.#busy = false;
  }

  async #next(): Promise<void> {
    if (this.#gap) {
      this.#gap = false;
      await this.#init.onGap();
      return;
    }
    await this.#init.onMessage(this.#waiting.shift() as M);
  }
}
