/** A number generator whose whole course follows from its seed (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** @returns 0 up to and without 1. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @returns a whole number from 0 up to and without `sides`. */
  roll(sides: number): number {
    return Math.floor(this.#next() * sides);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.roll(from.length)] as T;
  }

  bytes(length: number): Buffer<ArrayBuffer> {
    return Buffer.from(Uint8Array.from({ length }, () => this.roll(256)));
  }
}
