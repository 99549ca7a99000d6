import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { CALL_LIMITS, DELAYED, DETOUR, EVENT } from '@potluck/repy-api';
import { checkPort } from './destination.ts';
import { CallFailure, networkFailure } from './failure.ts';
import type { Renewable } from './meter.ts';
import type { World } from './world.ts';

/** What a packet costs beyond its data, as in Seattle. */
const HEADER_BYTES = 64;
const MOST_ROUTES = 1024;
/** Bytes that may wait in the process when the system's own buffer is full; more is refused. */
const MOST_UNSENT_BYTES = 4 * 1024 * 1024;
/** How often a route's message waits for what the system says of it, instead of being believed to go. */
const PROOF_MS = 500;

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

/** From a port to a destination that the vessel may reach: decided once, used for many messages. */
interface Route {
  readonly socket: Socket;
  readonly ip: string;
  readonly port: number;
  readonly rate: Renewable;
  /** When the system last took a message and said so; -Infinity after a failure. */
  provenMs: number;
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
  readonly #ports = new Map<string, Port>();
  readonly #handles = new Map<number, Port>();
  readonly #routes = new Map<number, Route>();
  /** Of the last packet that came; most come from where the one before came from. */
  #sender = { given: '', ip: '', rate: undefined as Renewable | undefined };
  /** The request of the last `send`. */
  request = 0;
  /** The route of the last `send`, for `sendOn`; 0 when it had none. */
  route = 0;

  constructor(world: World) {
    this.#world = world;
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
    for (const route of bound.routes.values()) this.#routes.delete(route);
    bound.listener = undefined;
    bound.socket.close();
    this.#world.meter.release('insockets');
    this.#world.drop();
    return true;
  }

  /**
   * The short way. It asks for no answer of the system, so it is open only while messages of this route are taken at
   * once; a program that floods it fills the system's buffer and nothing here.
   * @returns bytes handed to the system, or `DETOUR` when nothing was done.
   */
  sendOn(number: unknown, data: unknown, binary: unknown): number {
    const route = this.#routes.get(number as number);
    if (route === undefined || typeof data !== 'string' || data.length > CALL_LIMITS.messageBytes) return DETOUR;
    const now = performance.now();
    const { socket } = route;
    if (now - route.provenMs > PROOF_MS || socket.getSendQueueCount() > 0) return DETOUR;
    const bytes = Buffer.from(data, binary === true ? 'latin1' : 'utf8');
    const { byteLength } = bytes;
    if (byteLength > CALL_LIMITS.messageBytes || !route.rate.take(HEADER_BYTES + byteLength, now)) return DETOUR;
    socket.send(bytes, 0, byteLength, route.port, route.ip);
    return byteLength;
  }

  /** The long way: checks, and asks the system what became of it. @returns `DELAYED`. @throws CallFailure */
  send(given: Message): number {
    const { destinations, messports } = this.#world;
    this.route = 0;
    const message = this.#checked(given);
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

  /** In the order in which Seattle names what is wrong. */
  #checked(message: Message): Message {
    const { destinations, messports } = this.#world;
    const { port, localport } = message;
    const ip = destinations.numeric(message.ip, 'destination');
    if (localport === 0) return { ...message, ip };
    const localip = destinations.numeric(message.localip, 'local');
    if (localip === ip && localport === port) {
      throw new CallFailure('RepyArgumentError', `expected another destination than the sender, got ${ip}:${port}`);
    }
    checkPort(localport, messports, 'messport');
    return { ...message, ip, localip };
  }

  #routeOf(bound: Port, { ip, port }: Message): Route {
    const key = `${ip} ${port}`;
    const known = bound.routes.get(key) ?? 0;
    const present = this.#routes.get(known);
    if (present !== undefined) {
      this.route = known;
      return present;
    }
    if (this.#routes.size >= MOST_ROUTES) this.#forgetRoutes();
    const rate = this.#world.meter.rate(this.#world.destinations.isLocal(ip) ? 'loopsend' : 'netsend');
    // Until the system has answered the first message, those after it are believed to go as well.
    const route = { socket: bound.socket, ip, port, rate, provenMs: performance.now() };
    this.route = this.#world.number();
    this.#routes.set(this.route, route);
    bound.routes.set(key, this.route);
    return route;
  }

  #forgetRoutes(): void {
    this.#routes.clear();
    for (const { routes } of this.#ports.values()) routes.clear();
  }

  #hand(route: Route, bytes: Buffer, request: number): void {
    const done = (error: Error | null) => {
      route.provenMs = error === null ? performance.now() : Number.NEGATIVE_INFINITY;
      if (error === null) this.#world.resolve(request, bytes.byteLength);
      else this.#world.reject(request, networkFailure(error, `a way to ${route.ip}:${route.port}`));
    };
    try {
      route.socket.send(bytes, 0, bytes.byteLength, route.port, route.ip, done);
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
    const socket = open(ip, port);
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
    this.#world.enter(EVENT.message, listener.handle, data, from.address, from.port);
  }
}

/** Binds at once: numeric addresses need no look-up, so a look-up that answers at once makes all of it synchronous. */
function open(ip: string, port: number): Socket {
  const family = isIPv6(ip) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    lookup: (host, _options, callback) => callback(null, host, family),
  });
  let problem: unknown;
  const keep = (error: unknown) => {
    problem = error;
  };
  socket.on('error', keep);
  socket.bind({ address: ip, port, exclusive: true });
  socket.off('error', keep);
  if (problem === undefined) return socket;
  socket.on('error', () => {});
  socket.close();
  throw networkFailure(problem, `to take the local address ${ip}:${port}`);
}
