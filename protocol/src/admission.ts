import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { homeOf } from './addresses.ts';
import type { RateLimit } from './rate.ts';

export interface AdmissionInit {
  /** At once, in all. */
  readonly connections: number;
  /** At once, from one address (of IPv6: from one network of 64 bits). */
  readonly perAddress: number;
  /** New ones, by address. */
  readonly rate?: RateLimit;
}

/**
 * Counts a server's connections before their handshakes, which are what costs; one too many is dropped. When all places
 * are taken, the address that holds most gives its newest one to an address that holds fewer: nobody keeps others out.
 */
export class Admission {
  readonly #init: AdmissionInit;
  readonly #sockets = new Map<string, Set<Duplex>>();
  #count = 0;
  readonly #counts = { admitted: 0, refused: 0 };

  constructor(init: AdmissionInit) {
    this.#init = init;
  }

  guard(server: Server): void {
    server.on('connection', (socket: Socket) => {
      if (!this.admit(socket, socket.remoteAddress ?? '')) socket.destroy();
    });
  }

  /** Cuts off whatever is connected. */
  cut(): void {
    for (const sockets of this.#sockets.values()) for (const socket of sockets) socket.destroy();
  }

  get size(): number {
    return this.#count;
  }

  /** Since the beginning. */
  get counts(): { readonly admitted: number; readonly refused: number } {
    return this.#counts;
  }

  /** @returns whether it is let in; then it counts until it closes. */
  admit(socket: Duplex, from: string): boolean {
    const isIn = this.#take(socket, from);
    this.#counts[isIn ? 'admitted' : 'refused'] += 1;
    return isIn;
  }

  #take(socket: Duplex, from: string): boolean {
    const address = homeOf(from);
    const own = this.#sockets.get(address) ?? new Set();
    const { connections, perAddress, rate } = this.#init;
    if (own.size >= perAddress || (rate?.take(address) ?? 0) > 0) return false;
    if (this.#count >= connections && !this.#makeRoom(own.size + 1)) return false;
    own.add(socket);
    this.#sockets.set(address, own);
    this.#count += 1;
    socket.once('close', () => this.#leave(address, socket));
    return true;
  }

  /** @param share of the address that asks, once it is in. */
  #makeRoom(share: number): boolean {
    const [address, most] = [...this.#sockets].reduce((a, b) => (b[1].size > a[1].size ? b : a), ['', new Set()]);
    const newest = [...most].at(-1);
    if (newest === undefined || most.size <= share) return false;
    newest.destroy();
    this.#leave(address, newest);
    return true;
  }

  #leave(address: string, socket: Duplex): void {
    const own = this.#sockets.get(address);
    if (own?.delete(socket) !== true) return;
    this.#count -= 1;
    if (own.size === 0) this.#sockets.delete(address);
  }
}
