import type { QuantityName } from '@potluck/protocol';
import { CallFailure } from './failure.ts';

/** Calls that wait for one renewable resource; more are refused, so that a flood cannot grow memory. */
const MOST_WAITING = 1024;
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

interface Waiting {
  readonly amount: number;
  readonly run: () => void;
}

/**
 * A resource per second. What was used drains at `limit` per second; a call runs when no more than one second's worth
 * is left, so bursts of one second are free and the average holds (Seattle's "tattle").
 */
export class Renewable {
  readonly #name: QuantityName;
  readonly #limit: number;
  #used = 0;
  #atMs = performance.now();
  #queue: Waiting[] = [];
  #queued = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(name: QuantityName, limit: number) {
    this.#name = name;
    this.#limit = limit;
  }

  get used(): number {
    this.#drain(performance.now());
    return this.#used;
  }

  /** @returns milliseconds until a call may run. @throws CallFailure when the limit is 0. */
  waitMs(): number {
    if (this.#limit === 0) {
      const message = `expected a vessel that may use ${this.#name}, got one with ${this.#name} 0`;
      throw new CallFailure('ResourceExhaustedError', message);
    }
    this.#drain(performance.now());
    return Math.max(0, ((this.#used - this.#limit) / this.#limit) * 1000);
  }

  add(amount: number): void {
    this.#used += amount;
  }

  /** Takes the amount if a call may run now. @param now of `performance.now()`. @returns false when it has to wait. */
  take(amount: number, now: number): boolean {
    if (this.#queue.length > 0) return false;
    this.#drain(now);
    if (this.#used > this.#limit || this.#limit === 0) return false;
    this.#used += amount;
    return true;
  }

  /** @returns true if it ran at once; else it runs in its turn. @throws CallFailure when too many wait. */
  pace(amount: number, run: () => void): boolean {
    if (this.waitMs() === 0 && this.#queue.length === 0) {
      this.#used += amount;
      run();
      return true;
    }
    if (this.#queue.length >= MOST_WAITING || this.#queued + amount > MOST_WAITING_BYTES) {
      const message = `expected calls to be awaited, got ${this.#queue.length} of them waiting for ${this.#name}`;
      throw new CallFailure('ResourceExhaustedError', message);
    }
    this.#queue.push({ amount, run });
    this.#queued += amount;
    this.#timer ??= setTimeout(this.#turn, this.waitMs());
    return false;
  }

  #turn = (): void => {
    this.#timer = undefined;
    while (this.#queue.length > 0) {
      const wait = this.waitMs();
      if (wait > 0) {
        this.#timer = setTimeout(this.#turn, Math.ceil(wait));
        return;
      }
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#queued -= next.amount;
      this.#used += next.amount;
      next.run();
    }
  };

  #drain(now: number): void {
    this.#used = Math.max(0, this.#used - ((now - this.#atMs) / 1000) * this.#limit);
    this.#atMs = now;
  }
}

/** Counts what a program holds and uses against its vessel's restrictions: one mechanism for every resource. */
export class Meter {
  readonly #limits: Readonly<Record<string, number>>;
  readonly #held = new Map<QuantityName, number>();
  readonly #renewable = new Map<QuantityName, Renewable>();

  /** @param limits the restrictions' quantities; a missing one is 0. */
  constructor(limits: Readonly<Record<string, number>>) {
    this.#limits = limits;
  }

  /** Takes one of a countable resource. @throws CallFailure ResourceExhaustedError */
  acquire(name: QuantityName): void {
    const held = this.#held.get(name) ?? 0;
    const limit = this.#limits[name] ?? 0;
    if (held >= limit) {
      const message = `expected at most ${limit} ${name} in use at once, got one more`;
      throw new CallFailure('ResourceExhaustedError', message);
    }
    this.#held.set(name, held + 1);
  }

  release(name: QuantityName): void {
    this.#held.set(name, Math.max(0, (this.#held.get(name) ?? 0) - 1));
  }

  /** Runs a call of a renewable resource now or in its turn. @returns true if now. @throws CallFailure */
  pace(name: QuantityName, amount: number, run: () => void): boolean {
    return this.rate(name).pace(amount, run);
  }

  /** For calls that block the program instead: milliseconds to wait before `add`. @throws CallFailure */
  waitMs(name: QuantityName): number {
    return this.rate(name).waitMs();
  }

  add(name: QuantityName, amount: number): void {
    this.rate(name).add(amount);
  }

  get limits(): Readonly<Record<string, number>> {
    return this.#limits;
  }

  /** What is held, and what of renewable resources has not drained yet. */
  usage(): Record<string, number> {
    const usage = Object.fromEntries(this.#held) as Record<string, number>;
    for (const [name, renewable] of this.#renewable) usage[name] = Math.round(renewable.used);
    return usage;
  }

  /** One renewable resource, for those who ask so often that looking it up would cost more than the question. */
  rate(name: QuantityName): Renewable {
    const present = this.#renewable.get(name);
    if (present !== undefined) return present;
    const made = new Renewable(name, this.#limits[name] ?? 0);
    this.#renewable.set(name, made);
    return made;
  }
}
