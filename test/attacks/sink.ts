import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

/** What each message counts beside its bytes, as the resource does. */
const HEADER_BYTES = 64;

/** Another machine's socket, which counts what comes. */
export class Sink implements AsyncDisposable {
  readonly #socket: Socket;
  #bytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => {
      this.#bytes += bytes.byteLength + HEADER_BYTES;
    });
  }

  static async open(address: string): Promise<Sink> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    socket.bind(0, address);
    await once(socket, 'listening');
    return new Sink(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  send(text: string, address: string, port: number): void {
    this.#socket.send(text, port, address);
  }

  /** @returns the bytes that came from the first message on, within some seconds, and how many they were. */
  async count(seconds: number): Promise<{ bytes: number; seconds: number }> {
    this.#bytes = 0;
    await once(this.#socket, 'message');
    // A time is what is measured here; a busy machine makes it longer.
    const sinceMs = performance.now();
    await wait(seconds * 1000);
    return { bytes: this.#bytes, seconds: (performance.now() - sinceMs) / 1000 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}
