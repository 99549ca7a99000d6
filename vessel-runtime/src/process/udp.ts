import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { DELAYED } from '@potluck/repy-api';
import { bindUdp } from './bind.ts';
import { checkPort, checkWay } from './destination.ts';
import { CallFailure, networkFailure } from './failure.ts';
import { Inbox } from './inbox.ts';
import type { Renewable } from './meter.ts';
import { HEADER_BYTES, type Route, Routes } from './routes.ts';
import type { World } from './world.ts';

/** Bytes that may wait in the process when the system's own buffer is full; more is refused. */
const MOST_UNSENT_BYTES = 4 * 1024 * 1024;

interface Listener {
  readonly handle: number;
  readonly binary: boolean;
}

/** One bound socket: of a listener, or kept for sending from a port. */
interface Port {
  readonly socket: Socket;
  readonly ip: string;
  readonly port: number;
  listener: Listener | undefined;
  readonly routes: Map<string, number>;
}

export interface Message {
  readonly ip: string;
  readonly port: number;
  readonly data: string;
  readonly binary: boolean;
  readonly localip: string;
  readonly localport: number;
}

/** UDP: messages out and in. */
export class Udp {
  readonly #world: World;
  readonly #inbox: Inbox;
  readonly #ports = new Map<string, Port>();
  readonly #handles = new Map<number, Port>();
  /** The short way, for messages of a route that was checked. */
  readonly routes = new Routes();
  /** Of the last packet that came; most come from where the one before came from. */
  #sender = { given: '', ip: '', rate: undefined as Renewable | undefined };
  /** The request of the last `send`. */
  request = 0;
  /** The route of the last `send`, for `sendOn`; 0 when it had none. */
  route = 0;

  constructor(world: World) {
    this.#world = world;
    this.#inbox = new Inbox(world.enter);
  }

  /** @throws CallFailure */
  listen(localip: string, port: number, binary: boolean): number {
    const world = this.#world;
    const ip = world.destinations.numeric(localip, 'local');
    checkPort(port, world.messports, 'messport');
    world.destinations.checkLocal(ip);
    if (this.#ports.get(`${ip} ${port}`)?.listener !== undefined) {
      throw new CallFailure('AlreadyListeningError', `expected one listener for ${ip}:${port}, got a second one`);
    }
    const bound = this.#bound(ip, port);
    // A port that somebody else has is told first, as in Seattle; one that was taken for nothing stays for sending.
    world.meter.acquire('insockets');
    const handle = world.number();
    bound.listener = { handle, binary };
    bound.socket.ref();
    this.#handles.set(handle, bound);
    world.hold();
    return handle;
  }

  close(handle: number): boolean {
    const bound = this.#handles.get(handle);
    if (bound === undefined) return false;
    this.#handles.delete(handle);
    this.#ports.delete(`${bound.ip} ${bound.port}`);
    for (const route of bound.routes.values()) this.routes.delete(route);
    bound.listener = undefined;
    bound.socket.close();
    this.#world.meter.release('insockets');
    this.#world.drop();
    return true;
  }

  /** The long way: checks, and asks the system what became of it. @returns `DELAYED`. @throws CallFailure */
  send(given: Message): number {
    const { destinations, messports } = this.#world;
    this.route = 0;
    const message = checkWay(destinations, given, { allowed: messports, resource: 'messport' });
    if (!destinations.allows(message.ip, message.port, messports)) return this.#refuseLater(message);
    const bound = this.#senderOf(message);
    const bytes = Buffer.from(message.data, message.binary ? 'latin1' : 'utf8');
    if (bound.socket.getSendQueueSize() + bytes.byteLength > MOST_UNSENT_BYTES) {
      const text = `expected calls to be awaited, got ${bound.socket.getSendQueueCount()} messages waiting for the system`;
      return this.#failLater(new CallFailure('ResourceExhaustedError', text));
    }
    const route = this.#routeOf(bound, message);
    const request = this.#world.request();
    this.request = request;
    try {
      route.rate.pace(HEADER_BYTES + bytes.byteLength, () => this.#hand(route, bytes, request));
    } catch (error) {
      setImmediate(() => this.#world.reject(request, error));
    }
    return DELAYED;
  }

  #routeOf(bound: Port, { ip, port }: Message): Route {
    const key = `${ip} ${port}`;
    const known = bound.routes.get(key) ?? 0;
    const present = this.routes.get(known);
    if (present !== undefined) {
      this.route = known;
      return present;
    }
    if (this.routes.full) this.#forgetRoutes();
    const rate = this.#world.meter.rate(this.#world.destinations.isLocal(ip) ? 'loopsend' : 'netsend');
    const route = { socket: bound.socket, ip, port, rate, provenMs: performance.now() };
    this.route = this.#world.number();
    this.routes.set(this.route, route);
    bound.routes.set(key, this.route);
    return route;
  }

  #forgetRoutes(): void {
    this.routes.clear();
    for (const { routes } of this.#ports.values()) routes.clear();
  }

  /** Those after it are believed to go until this one has its answer: a program that never waits gets none. */
  #hand(route: Route, bytes: Buffer, request: number): void {
    const { byteLength } = bytes;
    const done = (error: Error | null) => {
      route.provenMs = error === null ? performance.now() : Number.NEGATIVE_INFINITY;
      if (error === null) this.#world.resolve(request, byteLength);
      else this.#world.reject(request, networkFailure(error, `a way to ${route.ip}:${route.port}`));
    };
    if (route.provenMs > 0) route.provenMs = performance.now();
    try {
      route.socket.send(bytes, route.port, route.ip, done);
    } catch {
      const message = 'expected the sender to stay open until its turn came, got one closed here';
      setImmediate(() => done(new CallFailure('SocketClosedLocalError', message)));
    }
  }

  #refuseLater({ ip, port }: Message): number {
    const message = `expected a destination that this vessel may reach, got ${ip}:${port}`;
    return this.#failLater(new CallFailure('ResourceForbiddenError', message));
  }

  #failLater(failure: CallFailure): number {
    const request = this.#world.request();
    this.request = request;
    setImmediate(() => this.#world.reject(request, failure));
    return DELAYED;
  }

  #senderOf({ ip, localip, localport }: Message): Port {
    const { destinations, ownAddress } = this.#world;
    if (localport !== 0) {
      destinations.checkLocal(localip);
      return this.#bound(localip, localport);
    }
    const any = isIPv6(ip) ? '::' : '0.0.0.0';
    const own = ownAddress(ip) ?? any;
    const present = this.#ports.get(`${own} 0`) ?? this.#ports.get(`${any} 0`);
    if (present !== undefined) return present;
    try {
      return this.#bound(own, 0);
    } catch (error) {
      // Behind a translating router the node's address is not one of this machine.
      if (error instanceof CallFailure && error.code === 'AddressBindingError') return this.#bound(any, 0);
      throw error;
    }
  }

  /** The socket bound to a local address; a new one is not waited for by the program. */
  #bound(ip: string, port: number): Port {
    const key = `${ip} ${port}`;
    const present = this.#ports.get(key);
    if (present !== undefined) return present;
    const socket = bindUdp(ip, port);
    const bound: Port = { socket, ip, port, listener: undefined, routes: new Map() };
    socket.unref();
    socket.on('message', (bytes, from) => this.#receive(bound, bytes, from));
    socket.on('error', () => {});
    this.#ports.set(key, bound);
    return bound;
  }

  #receive(bound: Port, bytes: Buffer, from: RemoteInfo): void {
    // Nobody can answer port 0, and a program that tries would get an error out of another's packet.
    if (bound.listener === undefined || from.port === 0) return;
    const rate = this.#rateOf(from.address);
    from.address = this.#sender.ip;
    const amount = HEADER_BYTES + bytes.byteLength;
    if (rate.take(amount, performance.now())) {
      this.#deliver(bound, bytes, from);
      return;
    }
    try {
      rate.pace(amount, () => this.#deliver(bound, bytes, from));
    } catch (error) {
      // Too many wait for their turn: dropped, as by a full socket buffer.
      if (!(error instanceof CallFailure)) throw error;
    }
  }

  #rateOf(given: string): Renewable {
    const { rate } = this.#sender;
    if (rate !== undefined && this.#sender.given === given) return rate;
    const { destinations, meter } = this.#world;
    // Not the name of the interface: that is the donor's.
    const [ip = ''] = given.split('%');
    const found = meter.rate(destinations.isLocal(ip) ? 'looprecv' : 'netrecv');
    this.#sender = { given, ip, rate: found };
    return found;
  }

  #deliver({ listener }: Port, bytes: Buffer, from: RemoteInfo): void {
    if (listener === undefined) return;
    const data = listener.binary ? bytes.toString('latin1') : bytes.toString();
    this.#inbox.push({ handle: listener.handle, data, ip: from.address, port: from.port });
  }
}
