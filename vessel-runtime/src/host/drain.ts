import type { Readable } from 'node:stream';
import { letGo } from './let-go.ts';

const WINDOW_MS = 100;
/** What one chunk costs beside its bytes, so that a flood of tiny ones is held back too. */
const CHUNK_COST_BYTES = 128;

/**
 * Reads a stream that something hostile writes, at no more than `bytesPerSecond`: beyond, the writer waits in its own
 * `write`, and our memory and time are spared.
 */
export class Drain {
  readonly #stream: Readable;
  readonly #budget: number;
  #spent = 0;
  #windowStart = performance.now();
  #resume: NodeJS.Timeout | undefined;
  #bounded = true;

  /** @param onChunk keeps nothing of the chunk, whose memory is given back; says what it cost beside its bytes. */
  constructor(stream: Readable, bytesPerSecond: number, onChunk: (chunk: Buffer) => number | undefined) {
    this.#stream = stream;
    this.#budget = (bytesPerSecond * WINDOW_MS) / 1000;
    stream.on('data', (chunk: Buffer) => {
      const cost = chunk.byteLength + CHUNK_COST_BYTES + (onChunk(chunk) ?? 0);
      letGo(chunk);
      this.#charge(cost);
    });
    stream.on('error', () => {});
  }

  /** The writer is dead: what is left is little and is read at once. */
  release(): void {
    this.#bounded = false;
    clearTimeout(this.#resume);
    this.#stream.resume();
  }

  #charge(cost: number): void {
    const now = performance.now();
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now;
      this.#spent = 0;
    }
    this.#spent += cost;
    if (!this.#bounded || this.#spent < this.#budget) return;
    this.#stream.pause();
    const windows = this.#spent / this.#budget;
    this.#spent = 0;
    this.#resume = setTimeout(() => this.#stream.resume(), WINDOW_MS * windows).unref();
  }
}
