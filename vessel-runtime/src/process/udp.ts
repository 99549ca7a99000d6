import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { DELAYED, EVENT } from '@potluck/repy-api';
import { checkPort } from './destination.ts';
import { CallFailure, crossing, networkFailure } from './failure.ts';
import type { World } from './world.ts';

/** What a packet costs beyond its data, as in Seattle. */
const HEADER_BYTES = 64;

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
  /** Sends in order, done or failed and not told yet; told once a turn of the event loop. */
  #outcomes: (Error | null | undefined)[] = [];
  #open = 0;
  #telling = false;
  /** The request of the last delayed message. */
  request = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** @throws CallFailure */
  listen(ip: string, port: number, binary: boolean): number {
    const world = this.#world;
    checkPort(port, world.messports, 'messport');
    world.destinations.checkLocal(ip);
    if (this.#ports.get(`${ip} ${port}`)?.listener !== undefined) {
      throw new CallFailure('AlreadyListeningError', `expected one listener for ${ip}:${port}, got a second one`);
    }
    world.meter.acquire('insockets');
    try {
      const bound = this.#bound(ip, port);
      const handle = world.number();
      bound.listener = { handle, binary };
      bound.socket.ref();
      this.#handles.set(handle, bound);
      world.hold();
      return handle;
    } catch (error) {
      world.meter.release('insockets');
      throw error;
    }
  }

  close(handle: number): boolean {
    const bound = this.#handles.get(handle);
    if (bound === undefined) return false;
    this.#handles.delete(handle);
    this.#ports.delete(`${bound.ip} ${bound.port}`);
    bound.listener = undefined;
    bound.socket.close();
    this.#world.meter.release('insockets');
    this.#world.drop();
    return true;
  }

  /** @returns bytes handed to the system, or `DELAYED`. @throws CallFailure */
  send(message: Message): number {
    const { destinations, messports, meter } = this.#world;
    const allowed = destinations.allows(message.ip, message.port, messports);
    const { socket } = this.#sender(message);
    if (!allowed) return this.#refuseLater(message);
    const bytes = Buffer.from(message.data, message.binary ? 'latin1' : 'utf8');
    const resource = destinations.isLocal(message.ip) ? 'loopsend' : 'netsend';
    let now = true;
    const request = { id: 0 };
    const run = () => this.#hand(socket, bytes, message, now ? undefined : request.id);
    try {
      if (meter.pace(resource, HEADER_BYTES + bytes.byteLength, run)) return bytes.byteLength;
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      return this.#failLater(error);
    }
    now = false;
    request.id = this.#world.request();
    this.request = request.id;
    return DELAYED;
  }

  #hand(socket: Socket, bytes: Buffer, to: Message, request: number | undefined): void {
    const expected = `a way to ${to.ip}:${to.port}`;
    const slot = request === undefined ? this.#outcomes.push(undefined) - 1 : 0;
    const outcomes = this.#outcomes;
    if (request === undefined) {
      this.#open += 1;
      this.#world.hold();
    }
    socket.send(bytes, 0, bytes.byteLength, to.port, to.ip, (error) => {
      if (request === undefined) {
        this.#open -= 1;
        outcomes[slot] = error === null ? null : networkFailure(error, expected);
        this.#tellSoon();
      } else if (error === null) this.#world.resolve(request, bytes.byteLength);
      else this.#world.reject(request, networkFailure(error, expected));
    });
  }

  #tellSoon(): void {
    if (this.#telling) return;
    this.#telling = true;
    setImmediate(this.#tell);
  }

  #tell = (): void => {
    this.#telling = false;
    const outcomes = this.#outcomes;
    // One that still waits for the system holds the later ones back; its end brings us here again.
    if (this.#open > 0) return;
    this.#outcomes = [];
    let sent = 0;
    for (const outcome of outcomes) {
      this.#world.drop();
      if (outcome === null || outcome === undefined) {
        sent += 1;
        continue;
      }
      if (sent > 0) this.#world.enter(EVENT.sent, sent);
      sent = 0;
      const { number, message } = crossing(outcome);
      this.#world.enter(EVENT.unsent, number, message);
    }
    if (sent > 0) this.#world.enter(EVENT.sent, sent);
  };

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

  #sender({ ip, port, localip, localport }: Message): Port {
    const { address, destinations, messports } = this.#world;
    if (localport !== 0) {
      checkPort(localport, messports, 'messport');
      destinations.checkLocal(localip);
      if (localip === ip && localport === port) {
        throw new CallFailure('RepyArgumentError', `expected another destination than the sender, got ${ip}:${port}`);
      }
      return this.#bound(localip, localport);
    }
    const any = isIPv6(ip) ? '::' : '0.0.0.0';
    const own = isIPv6(ip) === isIPv6(address) ? address : any;
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
    const bound: Port = { socket, ip, port, listener: undefined };
    socket.unref();
    socket.on('message', (bytes, from) => this.#receive(bound, bytes, from));
    socket.on('error', () => {});
    this.#ports.set(key, bound);
    return bound;
  }

  #receive(bound: Port, bytes: Buffer, from: RemoteInfo): void {
    // Nobody can answer port 0, and a program that tries would get an error out of another's packet.
    if (bound.listener === undefined || from.port === 0) return;
    const { meter, destinations } = this.#world;
    const resource = destinations.isLocal(from.address) ? 'looprecv' : 'netrecv';
    const deliver = () => {
      const { listener } = bound;
      if (listener === undefined) return;
      const data = listener.binary ? bytes.toString('latin1') : bytes.toString();
      this.#world.enter(EVENT.message, listener.handle, data, from.address, from.port);
    };
    try {
      meter.pace(resource, HEADER_BYTES + bytes.byteLength, deliver);
    } catch (error) {
      // Too many wait for their turn: dropped, as by a full socket buffer.
      if (!(error instanceof CallFailure)) throw error;
    }
  }
}

/** Binds at once: numeric addresses need no look-up, so a look-up that answers at once makes all of it synchronous. */
function open(ip: string, port: number): Socket {
  const family = isIPv6(ip) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (host, _options, callback) => callback(null, host, isIPv6(host) ? 6 : 4),
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
