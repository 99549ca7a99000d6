import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

/** Few enough that the buffers of the system hold what comes while the neighbour waits for a processor. */
const EVERY_MS = 50;
const PATIENCE_MS = 20_000;

/** Sends a neighbour vessel a message again and again, and counts those that are never answered. */
export class EchoClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #waiting = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes) => this.#waiting.delete(bytes.toString()));
  }

  static async bind(address: string): Promise<EchoClient> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new EchoClient(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Waits for a first answer: a program listens only some time after it has started. @returns whether it came. */
  async start(address: string, port: number): Promise<boolean> {
    const deadline = performance.now() + PATIENCE_MS;
    const answered = once(this.#socket, 'message');
    let heard = false;
    void answered.then(() => {
      heard = true;
    });
    while (!heard) {
      if (performance.now() > deadline) return false;
      this.#socket.send('first', port, address);
      await Promise.race([answered, wait(EVERY_MS)]);
    }
    this.#timer = setInterval(() => {
      this.#sent += 1;
      this.#waiting.add(`${this.#sent}`);
      this.#socket.send(`${this.#sent}`, port, address);
    }, EVERY_MS);
    return true;
  }

  /** Waits for the answers to all that was sent until now. @returns how many did not come. */
  async lost(): Promise<number> {
    const asked = [...this.#waiting];
    const deadline = performance.now() + PATIENCE_MS;
    while (asked.some((one) => this.#waiting.has(one)) && performance.now() < deadline) await wait(2);
    const lost = asked.filter((one) => this.#waiting.delete(one)).length;
    return this.#sent === 0 ? 1 : lost;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}
