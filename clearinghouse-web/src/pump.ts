import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** Between which two a pump stands. */
export interface Ends {
  readonly from: WebSocket;
  /** The connection under `from`. */
  readonly stream: Duplex;
  readonly to: WebSocket;
}

/** Takes messages from one WebSocket to another as they are, and reads no further before the last one has left. */
export class Pump {
  bytes = 0;
  readonly #ends: Ends;
  readonly #onHeld: (bytes: number) => void;
  /** What has come since the last message that was complete. */
  #unfinished = 0;
  #waits = 0;

  /** @param onHeld is told how much more is held in memory, or less. */
  constructor(ends: Ends, onHeld: (bytes: number) => void) {
    this.#ends = ends;
    this.#onHeld = onHeld;
    // Before the WebSocket takes them, which may complete a message.
    ends.stream.prependListener('data', (chunk: Buffer) => {
      this.#unfinished += chunk.length;
      onHeld(chunk.length);
    });
  }

  /** A message has come whole. */
  complete(): void {
    const bytes = this.#unfinished;
    this.#unfinished = 0;
    this.#onHeld(-bytes);
  }

  take(data: RawData): void {
    const { to } = this.#ends;
    const length = lengthOf(data);
    this.bytes += length;
    this.complete();
    if (to.readyState !== to.OPEN) return;
    this.hold(true);
    this.#onHeld(length);
    to.send(data, { binary: true }, () => {
      this.#onHeld(-length);
      this.hold(false);
    });
  }

  hold(on: boolean): void {
    this.#waits = Math.max(0, this.#waits + (on ? 1 : -1));
    if (this.#waits > 0) this.#ends.from.pause();
    else this.#ends.from.resume();
  }
}

function lengthOf(data: RawData): number {
  return Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.byteLength;
}
