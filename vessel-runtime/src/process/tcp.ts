import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { EVENT } from '@potluck/repy-api';
import { Connection } from './connection.ts';
import { checkPort } from './destination.ts';
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

  constructor(world: World) {
    this.#world = world;
  }

  /** @returns a request that resolves with the listener's handle. @throws CallFailure */
  listen(ip: string, port: number, binary: boolean): number {
    const world = this.#world;
    checkPort(port, world.connports, 'connport');
    world.destinations.checkLocal(ip);
    const key = `${ip} ${port}`;
    if (this.#listening.has(key)) {
      throw new CallFailure('AlreadyListeningError', `expected one listener for ${ip}:${port}, got a second one`);
    }
    world.meter.acquire('insockets');
    const request = world.request();
    const handle = world.number();
    const server = createServer({ pauseOnConnect: true }, (socket) => this.#accept(handle, socket, binary));
    this.#listening.add(key);
    const failed = (error: unknown) => {
      this.#listening.delete(key);
      world.meter.release('insockets');
      world.reject(request, networkFailure(error, `to take the local address ${ip}:${port}`));
    };
    server.once('error', failed);
    server.listen({ host: ip, port, exclusive: true }, () => {
      server.off('error', failed);
      // A failed accept (no descriptor left) is no fault of the listener.
      server.on('error', () => {});
      this.#listeners.set(handle, { server, key });
      world.hold();
      world.resolve(request, handle);
    });
    return request;
  }

  /** @returns a request that resolves with a connection's handle and its peer. @throws CallFailure */
  dial(dial: Dial): number {
    const { ip, port } = dial;
    const world = this.#world;
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

  #awaitConnect(socket: Socket, { ip, port, timeoutSeconds, binary }: Dial, request: number): void {
    const world = this.#world;
    const where = `${ip}:${port}`;
    const done = (error?: unknown) => {
      clearTimeout(timer);
      socket.off('error', done);
      socket.off('connect', done);
      if (error === undefined) {
        world.resolve(request, this.#adopt(socket, ip, binary), ip, port);
        return;
      }
      socket.on('error', () => {});
      socket.destroy();
      world.meter.release('outsockets');
      world.reject(request, networkFailure(error, `a connection to ${where}`));
    };
    const timer = setTimeout(() => {
      done(new CallFailure('TimeoutError', `expected a connection to ${where} within ${timeoutSeconds} s, got none`));
    }, timeoutSeconds * 1000);
    socket.once('error', done);
    socket.once('connect', () => done());
  }

  #localOf({ ip, port, localip, localport }: Dial): { localAddress?: string; localPort?: number } {
    const { address, destinations, connports } = this.#world;
    if (localport === 0)
      return isIPv6(ip) === isIPv6(address) && destinations.isLocal(ip) ? { localAddress: address } : {};
    checkPort(localport, connports, 'connport');
    destinations.checkLocal(localip);
    if (localip === ip && localport === port) {
      throw new CallFailure('RepyArgumentError', `expected another destination than the sender, got ${ip}:${port}`);
    }
    if (this.#listening.has(`${localip} ${localport}`)) {
      const message = `expected a local port without a listener, got ${localip}:${localport}`;
      throw new CallFailure('AlreadyListeningError', message);
    }
    return { localAddress: localip, localPort: localport };
  }

  #accept(listener: number, socket: Socket, binary: boolean): void {
    const { remoteAddress, remotePort } = socket;
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
    const handle = this.#adopt(socket, remoteAddress, binary);
    world.enter(EVENT.connection, listener, handle, remoteAddress, remotePort);
  }

  #adopt(socket: Socket, ip: string, binary: boolean): number {
    const handle = this.#world.number();
    const local = this.#world.destinations.isLocal(ip);
    const connection = new Connection(this.#world, { socket, binary, local });
    this.#connections.set(handle, connection);
    connection.onGone = () => this.#world.meter.release('outsockets');
    return handle;
  }

  /** @returns a request that resolves with the number of bytes. @throws CallFailure */
  send(handle: number, data: string, binary: boolean): number {
    return this.#connection(handle).send(Buffer.from(data, binary ? 'latin1' : 'utf8'));
  }

  /** @returns a request that resolves with data. @throws CallFailure */
  recv(handle: number, bytes: number): number {
    return this.#connection(handle).recv(bytes);
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
