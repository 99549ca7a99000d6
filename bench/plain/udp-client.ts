// Keeps 64 packets on their way to an echo, now on one port and now on the other; prints echoes per second of both, a
// line for each pair. Usage: udp-client.ts PORT PORT BYTES PAIRS
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const WINDOW = 64;
const WARM_UP_PAIRS = 2;
const SETTLE_MS = 50;
const COUNT_MS = 400;
const LOST_AFTER_MS = 100;

const [ours = 0, bare = 0, bytes = 0, pairs = 0] = process.argv.slice(2).map(Number);
const packet = Buffer.alloc(bytes, 'potluck ');

class Client {
  readonly #socket: Socket;
  #running = false;
  #echoes = 0;
  #heardAt = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (echo) => {
      if (echo.length !== bytes) process.exit(3);
      this.#echoes++;
      this.#heardAt = performance.now();
      if (this.#running) socket.send(packet);
    });
  }

  /** @returns echoes per second. */
  async measure(): Promise<number> {
    this.#running = true;
    this.#send();
    // A full buffer in the kernel drops packets; without them the window would shrink to nothing.
    const refill = setInterval(() => {
      if (performance.now() - this.#heardAt > LOST_AFTER_MS) this.#send();
    }, LOST_AFTER_MS);
    await delay(SETTLE_MS);
    const [before, begin] = [this.#echoes, performance.now()];
    await delay(COUNT_MS);
    const figure = ((this.#echoes - before) * 1000) / (performance.now() - begin);
    clearInterval(refill);
    this.#running = false;
    await delay(SETTLE_MS);
    return figure;
  }

  #send(): void {
    this.#heardAt = performance.now();
    for (let sent = 0; sent < WINDOW; sent++) this.#socket.send(packet);
  }
}

async function clientOf(port: number): Promise<Client> {
  const socket = createSocket('udp4');
  // Connected: the system looks for the way once, and the client costs least.
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return new Client(socket);
}

const [first, second] = [await clientOf(ours), await clientOf(bare)];
for (let pair = -WARM_UP_PAIRS; pair < pairs; pair++) {
  const figures = [await first.measure(), await second.measure()];
  if (pair >= 0) console.log(...figures);
}
process.exit(0);
