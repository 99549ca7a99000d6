export interface RateInit {
  readonly perSecond: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
  /** Names that are remembered; when there are more, the new ones share one allowance. */
  readonly entries: number;
}

/** The one name of all for whom there was no room. */
const OTHERS = '';
const SWEEP_EVERY_MS = 1000;

/** A token bucket for each name, kept as the time at which it is full again (GCRA), and only until then. */
export class RateLimit {
  readonly #init: RateInit;
  readonly #fullAt = new Map<string, number>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(init: RateInit) {
    this.#init = init;
  }

  /** @returns 0 when so many were taken, else the milliseconds until there are: nothing was taken. */
  take(name: string, nowMs = performance.now(), count = 1): number {
    const { perSecond, burst } = this.#init;
    const key = this.#room(name, nowMs);
    const fullAt = Math.max(nowMs, this.#fullAt.get(key) ?? 0) + (count * 1000) / perSecond;
    const waitMs = fullAt - nowMs - (burst * 1000) / perSecond;
    if (waitMs > 1e-6) return waitMs;
    this.#fullAt.set(key, fullAt);
    return 0;
  }

  /** Gives back what was taken and, as it turned out, not owed. */
  giveBack(name: string): void {
    const key = this.#fullAt.has(name) ? name : OTHERS;
    const fullAt = this.#fullAt.get(key);
    if (fullAt !== undefined) this.#fullAt.set(key, fullAt - 1000 / this.#init.perSecond);
  }

  #room(name: string, nowMs: number): string {
    if (this.#fullAt.has(name) || this.#fullAt.size < this.#init.entries) return name;
    if (nowMs - this.#sweptAt < SWEEP_EVERY_MS) return OTHERS;
    this.#sweptAt = nowMs;
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= nowMs) this.#fullAt.delete(key);
    return this.#fullAt.size < this.#init.entries ? name : OTHERS;
  }
}
