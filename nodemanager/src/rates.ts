import { type KeyId, RateLimit, RequestError } from '@potluck/protocol';
import type { NodeLimits } from './limits.ts';

/**
 * How often the node is asked. Who has a vessel here is counted by key; everybody else by address, since keys are free
 * and a stranger may have as many as he likes.
 */
export class Rates {
  readonly #addresses: RateLimit;
  readonly #keys: RateLimit;
  readonly #limits: NodeLimits;

  constructor(limits: NodeLimits) {
    this.#limits = limits;
    const entries = limits.rateEntries;
    this.#addresses = new RateLimit({ perSecond: limits.addressPerSecond, burst: limits.addressBurst, entries });
    this.#keys = new RateLimit({ perSecond: limits.keyPerSecond, burst: limits.keyBurst, entries });
  }

  /** @throws RequestError BUSY */
  ofAddress(address: string): void {
    const { addressPerSecond } = this.#limits;
    refuse(this.#addresses.take(address), `${addressPerSecond} requests a second of strangers from one address`);
  }

  /** @throws RequestError BUSY */
  ofKey(key: KeyId): void {
    refuse(this.#keys.take(key), `${this.#limits.keyPerSecond} requests a second of one key`);
  }

  /** It was no stranger. */
  giveBack(address: string): void {
    this.#addresses.giveBack(address);
  }
}

function refuse(waitMs: number, most: string): void {
  if (waitMs <= 0) return;
  const retryAfterMs = Math.ceil(waitMs);
  const message = `expected at most ${most}, got more: try again in ${retryAfterMs} ms`;
  throw new RequestError('BUSY', message, { details: { retryAfterMs } });
}
