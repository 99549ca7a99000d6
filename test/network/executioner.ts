import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '@potluck/protocol';

/** Before what is sent reaches the node, or when its answer comes back and before that reaches the caller. */
export type Moment = 'before' | 'after';

interface Plan {
  /** The flight, counted from 1; never at infinity. */
  readonly at: number;
  readonly moment: Moment;
  readonly strike: () => void;
}

/**
 * Stands between a backend and a node and counts what the backend sends, over all of its connections. At the flight that
 * it was told it calls `strike` and cuts everything; from then on it passes everything.
 */
export class Executioner implements AsyncDisposable {
  readonly address: Address;
  /** What was sent towards the node so far. */
  flights = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #plan: Plan | undefined;
  #to: Address | undefined;
  #state: 'counting' | 'armed' | 'done' = 'counting';

  private constructor(server: Server) {
    this.#server = server;
    this.address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  static async start(): Promise<Executioner> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const executioner = new Executioner(server);
    server.on('connection', (caller) => executioner.#join(caller));
    return executioner;
  }

  /** Whether it has struck. */
  get hasStruck(): boolean {
    return this.#state === 'done';
  }

  /** Counts from here on, for this. */
  watch(plan: Plan): void {
    this.#plan = plan;
    this.#state = 'counting';
    this.flights = 0;
  }

  /** Where the node is, once it has started. */
  leadTo(address: Address): void {
    this.#to = address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(caller: Socket): void {
    const to = this.#to;
    if (to === undefined) return void caller.destroy();
    const node = connect(to);
    for (const [socket, other] of [
      [caller, node],
      [node, caller],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    caller.on('data', (bytes) => {
      this.flights += 1;
      if (this.#state === 'counting' && this.flights === this.#plan?.at) {
        if (this.#plan.moment === 'before') return this.#strike();
        this.#state = 'armed';
      }
      node.write(bytes);
    });
    node.on('data', (bytes) => {
      if (this.#state === 'armed') this.#strike();
      else caller.write(bytes);
    });
  }

  #strike(): void {
    this.#state = 'done';
    this.#plan?.strike();
    this.#cut();
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
