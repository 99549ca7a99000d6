import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '@potluck/protocol';

/** How a network goes away: with a word (RST), or without one. */
export type Cut = 'reset' | 'black hole';

/** Stands between a caller and a node, and cuts one connection where it is told. */
export class Cutter implements AsyncDisposable {
  readonly address: Address;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #plan: { cut: Cut; after: number; way: 'up' | 'down' } | undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  static async start(to: Address): Promise<Cutter> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const cutter = new Cutter(server);
    server.on('connection', (caller) => cutter.#join(caller, connect(to)));
    return cutter;
  }

  /** From now on, whatever passes: so many bytes more towards the node (`up`) or from it, and then no more. */
  cutAfter(plan: { cut: Cut; after: number; way: 'up' | 'down' }): void {
    this.#plan = { ...plan };
  }

  /** Whether the cut has come. */
  get isCut(): boolean {
    return this.#plan === undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(caller: Socket, node: Socket): void {
    const pair = [caller, node] as const;
    let isDead = false;
    const end = (cut: Cut): void => {
      isDead = true;
      this.#plan = undefined;
      if (cut === 'reset') for (const socket of pair) socket.resetAndDestroy();
    };
    const pass = (to: Socket, way: 'up' | 'down') => (bytes: Buffer) => {
      if (isDead) return;
      const plan = this.#plan;
      if (plan?.way !== way) return void to.write(bytes);
      to.write(bytes.subarray(0, plan.after));
      plan.after -= bytes.length;
      if (plan.after < 0) to.writableLength === 0 ? end(plan.cut) : to.once('drain', () => end(plan.cut));
    };
    caller.on('data', pass(node, 'up'));
    node.on('data', pass(caller, 'down'));
    for (const [index, socket] of pair.entries()) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        if (!isDead) pair[1 - index]?.destroy();
      });
    }
  }
}
