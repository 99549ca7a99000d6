import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One address before several servers: each connection goes to the next of them, and past those that are away. */
export class Balancer implements AsyncDisposable {
  /** Ports on this machine. */
  targets: readonly number[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #turn = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Balancer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const balancer = new Balancer(server);
    server.on('connection', (caller) => void balancer.#join(caller));
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #join(caller: Socket): Promise<void> {
    this.#keep(caller);
    const { targets } = this;
    this.#turn += 1;
    for (let index = 0; index < targets.length; index += 1) {
      const target = connect({ host: '127.0.0.1', port: targets[(this.#turn + index) % targets.length] ?? 0 });
      this.#keep(target);
      if (
        !(await once(target, 'connect').then(
          () => true,
          () => false,
        ))
      )
        continue;
      caller.pipe(target).pipe(caller);
      caller.once('close', () => target.destroy());
      target.once('close', () => caller.destroy());
      if (caller.destroyed) target.destroy();
      return;
    }
    caller.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }
}
