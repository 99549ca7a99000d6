import type { Server, Socket } from 'node:net';

export interface AdmissionInit {
  /** At once, in all. */
  readonly connections: number;
  /** At once, from one address. */
  readonly perAddress: number;
}

/** Counts a server's connections before their handshakes, which are what costs; one too many is dropped. */
export class Admission {
  readonly #init: AdmissionInit;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();

  constructor(init: AdmissionInit) {
    this.#init = init;
  }

  guard(server: Server): void {
    server.on('connection', (socket: Socket) => this.#admit(socket));
  }

  /** Cuts off whatever is connected. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const count = (this.#perAddress.get(address) ?? 0) + 1;
    const { connections, perAddress } = this.#init;
    if (this.#sockets.size >= connections || count > perAddress) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#perAddress.set(address, count);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
  }
}
