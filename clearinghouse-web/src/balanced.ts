import { createServer, isIP, type Server, type Socket } from 'node:net';
import { LIMITS } from './limits.ts';

/** Of the PROXY protocol, version 1 (haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.1). */
const LONGEST = 107;
const LINE = /^PROXY TCP[46] (\S+) \S+ \d{1,5} \d{1,5}\r\n/;
const BEGINNING = Buffer.from('PROXY ');

/**
 * Connections that come through a balancer, which says in a line before all else who has dialled it. Limits by address
 * count that one then, and not the balancer.
 */
export class Balanced {
  readonly #balancers: ReadonlySet<string>;
  /** Who dialled, by the address and port that the balancer's own connection comes from. */
  readonly #callers = new Map<string, string>();

  /** @param balancers their addresses; nobody else is believed. */
  constructor(balancers: readonly string[]) {
    this.#balancers = new Set(balancers);
  }

  /** Who is at the other end, behind a balancer as well; also of a TLS socket on such a connection. */
  addressOf(socket: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
    return this.#callers.get(endOf(socket)) ?? plain(socket.remoteAddress);
  }

  /** @returns what listens in the place of `server`, and hands connections on to it. */
  before(server: Server): Server {
    if (this.#balancers.size === 0) return server;
    const listening = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => undefined); // 'close' follows.
      if (this.#balancers.has(plain(socket.remoteAddress))) this.#read(socket, server);
      else server.emit('connection', socket);
    });
    // It has no listening of its own, by which it begins to watch how long requests take, and ends.
    return listening.on('listening', () => server.emit('listening')).on('close', () => server.close());
  }

  #read(socket: Socket, server: Server): void {
    const timer = setTimeout(() => socket.destroy(), LIMITS.gatewayHelloMs);
    socket.once('close', () => clearTimeout(timer));
    let bytes = Buffer.alloc(0);
    const take = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      const length = lengthOf(bytes);
      if (length === undefined && bytes.length < LONGEST) return; // The rest is on its way.
      clearTimeout(timer);
      socket.off('data', take).pause();
      if (length === undefined) {
        socket.destroy();
        return;
      }
      if (length > 0) this.#keep(socket, bytes.toString('latin1', 0, length));
      if (bytes.length > length) socket.unshift(bytes.subarray(length));
      server.emit('connection', socket);
    };
    socket.on('data', take).resume();
  }

  #keep(socket: Socket, line: string): void {
    const [, caller = ''] = LINE.exec(line) ?? [];
    if (isIP(caller) === 0) return; // `PROXY UNKNOWN`: its own looks whether it lives.
    const end = endOf(socket);
    this.#callers.set(end, caller);
    socket.once('close', () => this.#callers.delete(end));
  }
}

/** @returns the length of the line, 0 where there is none, undefined where it is not there yet or is none of ours. */
function lengthOf(bytes: Buffer): number | undefined {
  const shared = Math.min(bytes.length, BEGINNING.length);
  // Other sites come from the balancer's machine, too, when it is one of theirs: TLS begins otherwise.
  if (!bytes.subarray(0, shared).equals(BEGINNING.subarray(0, shared))) return 0;
  const end = bytes.subarray(0, LONGEST).indexOf('\r\n');
  return end === -1 ? undefined : end + 2;
}

function endOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${plain(remoteAddress)} ${remotePort}`;
}

/** An IPv4 address that came to a server of both kinds is that address. */
function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}
