import { connect, createServer, type Server, type Socket } from 'node:net';
import { EVENT } from '@potluck/repy-api';
import { Connection, type ConnectionInit } from './connection.ts';
import { checkPort, checkWay } from './destination.ts';
import { CallFailure, networkFailure } from './failure.ts';
import type { World } from './world.ts';

export interface Dial {
  readonly ip: string;
  readonly port: number;
  readonly localip: string;
  readonly localport: number;
  readonly timeoutSeconds: number;
  readonly binary: boolean;
}

/** TCP: listeners, and connections both ways. */
export class Tcp {
  readonly #world: World;
  readonly #connections = new Map<number, Connection>();
  readonly #listeners = new Map<number, { readonly server: Server; readonly key: string }>();
  readonly #listening = new Set<string>();
  /** Both ends of each connection: no two may have the same. */
  readonly #tuples = new Map<string, 'open' | 'closing'>();

  constructor(world: World) {
    this.#world = world;
  }

  /** @returns a request that resolves with the listener's handle. @throws CallFailure */
  listen(localip: string, port: number, binary: boolean): number {
    const world = this.#world;
    const ip = world.destinations.numeric(localip, 'local');
    checkPort(port, world.connports, 'connport');
    world.destinations.checkLocal(ip);
    const key = `${ip} ${port}`;
    if (this.#listening.has(key)) {
      throw new CallFailure('AlreadyListeningError', `expected one listener for ${ip}:${port}, got a second one`);
    }
    const request = world.request();
    const handle = world.number();
    const server = createServer({ pauseOnConnect: true }, (socket) => this.#accept(handle, socket, binary));
    this.#listening.add(key);
    const failed = (error: unknown) => {
      this.#listening.delete(key);
      world.reject(request, networkFailure(error, `to take the local address ${ip}:${port}`));
    };
    server.once('error', failed);
    server.listen({ host: ip, port, exclusive: true, ipv6Only: true }, () => {
      server.off('error', failed);
      // A failed accept (no descriptor left) is no fault of the listener.
      server.on('error', () => {});
      try {
        // A port that somebody else has is told first, as in Seattle.
        world.meter.acquire('insockets');
      } catch (error) {
        server.close();
        failed(error);
        return;
      }
      this.#listeners.set(handle, { server, key });
      world.hold();
      world.resolve(request, handle);
    });
    return request;
  }

  /** @returns a request that resolves with a connection's handle and its peer. @throws CallFailure */
  dial(given: Dial): number {
    const world = this.#world;
    const dial = checkWay(world.destinations, given, { allowed: world.connports, resource: 'connport' });
    const { ip, port } = dial;
    if (!world.destinations.allows(ip, port, world.connports)) {
      const message = `expected a destination that this vessel may reach, got ${ip}:${port}`;
      throw new CallFailure('ResourceForbiddenError', message);
    }
    const local = this.#localOf(dial);
    world.meter.acquire('outsockets');
    const request = world.request();
    const socket = connect({ host: ip, port, ...local, autoSelectFamily: false, noDelay: true });
    this.#awaitConnect(socket, dial, request);
    return request;
  }

  #awaitConnect(socket: Socket, dial: Dial, request: number): void {
    const { ip, port, timeoutSeconds, binary } = dial;
    const world = this.#world;
    const where = `${ip}:${port}`;
    const done = (error?: unknown) => {
      clearTimeout(timer);
      socket.off('error', done);
      socket.off('connect', done);
      if (error === undefined) {
        world.resolve(request, this.#adopt(socket, ip, { binary, dialled: true }), ip, port);
        return;
      }
      socket.on('error', () => {});
      socket.destroy();
      world.meter.release('outsockets');
      world.reject(request, dialFailure(error, dial));
    };
    const timer = setTimeout(() => {
      done(new CallFailure('TimeoutError', `expected a connection to ${where} within ${timeoutSeconds} s, got none`));
    }, timeoutSeconds * 1000);
    socket.once('error', done);
    socket.once('connect', () => done());
  }

  #localOf({ ip, port, localip, localport }: Dial): { localAddress?: string; localPort?: number } {
    const { destinations, ownAddress } = this.#world;
    if (localport === 0) {
      const localAddress = destinations.isLocal(ip) ? ownAddress(ip) : undefined;
      return localAddress === undefined ? {} : { localAddress };
    }
    destinations.checkLocal(localip);
    this.#checkTuple(tupleOf({ localip, localport, ip, port }));
    if (this.#listening.has(`${localip} ${localport}`)) {
      const message = `expected a local port without a listener, got ${localip}:${localport}`;
      throw new CallFailure('AlreadyListeningError', message);
    }
    return { localAddress: localip, localPort: localport };
  }

  #checkTuple(tuple: string): void {
    const state = this.#tuples.get(tuple);
    if (state === 'open') {
      const message = `expected one connection between two addresses and ports, got a second one (${tuple})`;
      throw new CallFailure('DuplicateTupleError', message);
    }
    if (state === 'closing') throw cleanup(tuple);
  }

  #accept(listener: number, socket: Socket, binary: boolean): void {
    const { remotePort } = socket;
    // Not the name of the interface: that is the donor's.
    const remoteAddress = socket.remoteAddress?.split('%')[0];
    const world = this.#world;
    try {
      if (remoteAddress === undefined || remotePort === undefined) throw new CallFailure('SocketClosedRemoteError', '');
      world.meter.acquire('outsockets');
    } catch {
      // No connection left for it, or gone already: the program never hears of it.
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    const handle = this.#adopt(socket, remoteAddress, { binary, dialled: false });
    world.enter(EVENT.connection, listener, handle, remoteAddress, remotePort);
  }

  #adopt(socket: Socket, ip: string, how: Pick<ConnectionInit, 'binary' | 'dialled'>): number {
    const handle = this.#world.number();
    const local = this.#world.destinations.isLocal(ip);
    const connection = new Connection(this.#world, { socket, local, ...how });
    const { localAddress: localip = '', localPort: localport = 0, remotePort: port = 0 } = socket;
    const tuple = tupleOf({ localip, localport, ip, port });
    this.#connections.set(handle, connection);
    this.#tuples.set(tuple, 'open');
    connection.onClosing = () => this.#tuples.set(tuple, 'closing');
    connection.onGone = () => {
      this.#tuples.delete(tuple);
      this.#world.meter.release('outsockets');
    };
    return handle;
  }

  /** @returns a request that resolves with the number of bytes, or that number as a text. @throws CallFailure */
  send(handle: number, data: string, binary: boolean): number | string {
    return this.#connection(handle).send(Buffer.from(data, binary ? 'latin1' : 'utf8'));
  }

  /** @returns a request that resolves with data. @throws CallFailure */
  recv(handle: number, bytes: number): number {
    return this.#connection(handle).recv(bytes);
  }

  /** @returns 1 if a `recv` would wait, plus 2 if a `send` would. @throws CallFailure */
  willblock(handle: number): number {
    return this.#connection(handle).willblock();
  }

  #connection(handle: number): Connection {
    const connection = this.#connections.get(handle);
    if (connection !== undefined) return connection;
    throw new CallFailure('SocketClosedLocalError', 'expected an open connection, got one that this program closed');
  }

  close(handle: number): boolean {
    const connection = this.#connections.get(handle);
    if (connection !== undefined) {
      this.#connections.delete(handle);
      connection.close();
      return true;
    }
    const listener = this.#listeners.get(handle);
    if (listener === undefined) return false;
    this.#listeners.delete(handle);
    this.#listening.delete(listener.key);
    listener.server.close();
    this.#world.meter.release('insockets');
    this.#world.drop();
    return true;
  }
}

type Tuple = Pick<Dial, 'ip' | 'port' | 'localip' | 'localport'>;

const tupleOf = ({ ip, port, localip, localport }: Tuple) => `${localip} ${localport} ${ip} ${port}`;

const cleanup = (tuple: string) =>
  new CallFailure(
    'CleanupInProgressError',
    `expected a connection that is over, got one still being closed (${tuple})`,
  );

/** The local port was taken, so what the system refuses is the pair of ends: an earlier connection is not forgotten yet. */
function dialFailure(error: unknown, dial: Dial): CallFailure {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (dial.localport !== 0 && code === 'EADDRNOTAVAIL' && syscall === 'connect') return cleanup(tupleOf(dial));
  return networkFailure(error, `a connection to ${dial.ip}:${dial.port}`);
}
