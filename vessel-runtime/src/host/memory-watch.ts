import type { ProcessMeter } from './proc.ts';
import { LOOK_MS } from './share.ts';

/** Of the time that a growing process would need to pass its limit, after which part it is looked at again. */
const SOON_PART = 0.5;

/** What a process has in memory beyond what it had at the first look, and how soon that could be too much. */
export class MemoryWatch {
  readonly #meter: ProcessMeter;
  readonly #limitBytes: number;
  readonly #idleBytes: number;
  #usedBytes = 0;
  #bytesPerMs = 0;
  #atMs = performance.now();

  /** @throws when the process is gone. */
  constructor(meter: ProcessMeter, limitBytes: number) {
    this.#meter = meter;
    this.#limitBytes = limitBytes;
    this.#idleBytes = meter.ownBytes();
  }

  /** @returns bytes, as they are now. @throws when the process is gone. */
  look(): number {
    const now = performance.now();
    const used = Math.max(0, this.#meter.ownBytes() - this.#idleBytes);
    this.#bytesPerMs = (used - this.#usedBytes) / Math.max(1, now - this.#atMs);
    this.#usedBytes = used;
    this.#atMs = now;
    return used;
  }

  /** @returns after how long to look again, if it goes on to grow as it did between the last two looks. */
  nextLookMs(): number {
    if (this.#bytesPerMs <= 0) return LOOK_MS;
    const fullInMs = (this.#limitBytes - this.#usedBytes) / this.#bytesPerMs;
    return Math.max(1, Math.min(LOOK_MS, fullInMs * SOON_PART));
  }
}
