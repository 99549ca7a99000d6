/** Longest time that a process is meant to be stopped at a stretch: 50 ms are promised, and a timer may be late. */
const FREEZE_MS = 40;
/** How often a process that is not stopped is looked at, at least. */
export const LOOK_MS = 20;

/** A process may save up this much wall time of its share, */
const BURST_MS = 100;
/** but always enough for one request: CPU milliseconds. */
const BURST_FLOOR_MS = 10;
/** A debt is worked off, but one that came of our own long silence is not worth more than this much wall time, */
const DEBT_MS = 500;
/** or this much CPU where the share is small: what may be used between two looks. */
const DEBT_FLOOR_MS = 25;
/** What a stopped process should have in hand when it goes on, so that it is not stopped again at once. */
const RUN_MS = 8;
/** Of its fair part of a freeze, how much a process in debt may run between two freezes. */
const BREATH_PART = 0.25;

/**
 * The account of one process's CPU: it earns its share of the passing time, pays what it uses, and is stopped while it
 * is in debt. All times are milliseconds.
 */
export class Share {
  readonly #share: number;
  readonly #most: number;
  readonly #least: number;
  #credit: number;

  /** @param share fraction of one core. */
  constructor(share: number) {
    this.#share = share;
    this.#most = Math.max(BURST_MS * share, BURST_FLOOR_MS);
    this.#least = -Math.max(DEBT_MS * share, DEBT_FLOOR_MS);
    this.#credit = this.#most;
  }

  /** CPU milliseconds in hand; below zero is debt. */
  get credit(): number {
    return this.#credit;
  }

  settle(elapsedMs: number, usedMs: number): void {
    const credit = this.#credit + elapsedMs * this.#share - usedMs;
    this.#credit = Math.min(this.#most, Math.max(this.#least, credit));
  }

  /** @returns how long to stop it now. */
  freezeMs(): number {
    const wanted = RUN_MS * Math.max(0.05, 1 - this.#share) - this.#credit;
    return Math.min(FREEZE_MS, Math.max(1, wanted / this.#share));
  }

  /** @returns after how long a running process could have used up what it has, when it runs on one core. */
  nextLookMs(): number {
    if (this.#share >= 1) return LOOK_MS;
    return Math.min(LOOK_MS, Math.max(1, this.#credit / (1 - this.#share)));
  }

  /** @returns how long a process in debt may run between two freezes; less than 1 is "as short as can be". */
  breathMs(): number {
    return FREEZE_MS * this.#share * BREATH_PART;
  }
}
