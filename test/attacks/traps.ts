import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Services of the donor's machine that count whoever comes. */
export class Traps implements AsyncDisposable {
  readonly #servers: Server[] = [];
  readonly #sockets: Socket[] = [];
  readonly ports: number[] = [];
  /** Connections and messages that came. */
  caught = 0;

  private constructor() {}

  /** For TCP and UDP on each address that this machine has. */
  static async set(addresses: readonly string[]): Promise<Traps> {
    const traps = new Traps();
    for (const address of addresses) await traps.#add(address).catch(() => {});
    return traps;
  }

  async #add(address: string): Promise<void> {
    const server = createServer((socket) => {
      this.caught += 1;
      socket.destroy();
    });
    server.listen(0, address);
    await once(server, 'listening');
    this.#servers.push(server);
    const found = server.address();
    const port = typeof found === 'object' ? (found?.port ?? 0) : 0;
    this.ports.push(port);
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.on('message', () => {
      this.caught += 1;
    });
    socket.bind(port, address);
    await once(socket, 'listening');
    this.#sockets.push(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    for (const server of this.#servers) await new Promise((resolve) => server.close(resolve));
  }
}
