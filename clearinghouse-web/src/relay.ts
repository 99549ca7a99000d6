import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import {
  Admission,
  homeOf,
  type KeyId,
  PeerError,
  RateLimit,
  type RelayCall,
  relayedStream,
  STREAM_LIMITS,
} from '@potluck/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { RELAY_LIMITS } from './limits.ts';

export interface RelayInit {
  /** The number of this site process. */
  readonly site: number;
  /** Says a call to a node, wherever it is connected. @returns false when it is not connected. */
  readonly say: (node: KeyId, call: RelayCall) => Promise<boolean>;
  /** Who is at the other end, behind a balancer as well. */
  readonly addressOf: (socket: TLSSocket) => string;
  /** Overrides of `RELAY_LIMITS`. */
  readonly limits?: Partial<RelayLimits> | undefined;
}

export type RelayLimits = Readonly<Record<keyof typeof RELAY_LIMITS, number>>;

/** A request for a WebSocket that is not answered yet. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: TLSSocket;
  readonly head: Buffer;
}

/** An answer to a call, and which node proved its key for it. */
export interface Answering {
  readonly token: string;
  readonly node: KeyId;
}

interface Call extends Upgrade {
  readonly node: KeyId;
  readonly timer: NodeJS.Timeout;
}

export type Refusal = '404 Not Found' | '429 Too Many Requests' | '503 Service Unavailable' | '504 Gateway Timeout';

/**
 * Takes callers to nodes that nobody can reach directly: the node is told of a call and dials in for it, and from then on
 * the bytes of both are passed on as they are. They are TLS between the two; nothing here can read them, and nothing is
 * kept but the open streams.
 */
export class Relay {
  readonly #init: RelayInit;
  readonly #limits: RelayLimits;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: STREAM_LIMITS.messageBytes,
    perMessageDeflate: false,
  });
  readonly #calls = new Map<string, Call>();
  /** Callers, from their calls to the ends of their streams: of all, and of each node. */
  readonly #callers: Admission;
  readonly #callersOf = new Map<KeyId, Admission>();
  readonly #rate: { readonly node: RateLimit; readonly host: RateLimit; readonly pair: RateLimit };

  constructor(init: RelayInit) {
    this.#init = init;
    this.#limits = { ...RELAY_LIMITS, ...init.limits };
    const { streams, streamsPerHost, rateEntries: entries, ...limits } = this.#limits;
    this.#callers = new Admission({ connections: streams, perAddress: streamsPerHost });
    this.#rate = {
      node: new RateLimit({ perSecond: limits.callsPerNodePerSecond, burst: limits.callsPerNodeBurst, entries }),
      host: new RateLimit({ perSecond: limits.callsPerHostPerSecond, burst: limits.callsPerHostBurst, entries }),
      pair: new RateLimit({ perSecond: limits.callsPerPairPerSecond, burst: limits.callsPerPairBurst, entries }),
    };
  }

  /** A caller wants that node. Its WebSocket opens when the node has answered. */
  call(node: KeyId, upgrade: Upgrade): void {
    const { socket } = upgrade;
    if (socket.destroyed) return; // It would never close again.
    const from = this.#init.addressOf(socket);
    const refusal = this.#refusal(node, socket);
    if (refusal !== undefined) {
      refuse(socket, refusal);
      return;
    }
    const token = newToken(this.#init.site);
    const timer = setTimeout(() => this.#giveUp(token, '504 Gateway Timeout'), this.#limits.answerMs).unref();
    this.#calls.set(token, { ...upgrade, node, timer });
    socket.once('close', () => this.#giveUp(token, '404 Not Found'));
    void this.#init.say(node, { call: token, from }).then((said) => {
      if (!said) this.#giveUp(token, '404 Not Found');
    });
  }

  /** The node has dialled in for a call. A token is worth one answer, of the node that was called and no other. */
  answer({ token, node }: Answering, upgrade: Upgrade): void {
    const call = this.#calls.get(token);
    if (call === undefined || node !== call.node) {
      refuse(upgrade.socket, '404 Not Found');
      return;
    }
    this.#calls.delete(token);
    clearTimeout(call.timer);
    void this.#splice(call, upgrade).catch(() => undefined); // One of the two has gone.
  }

  /** Callers, from their calls to the ends of their streams. */
  get size(): number {
    return this.#callers.size;
  }

  /** Ends every call and stream. */
  stop(): void {
    for (const token of this.#calls.keys()) this.#giveUp(token, '503 Service Unavailable');
    for (const socket of this.#sockets.clients) socket.close(1001, 'the relay stops');
  }

  /** Where all places are taken, whose address holds most makes room: nobody keeps others from a node. */
  #refusal(node: KeyId, caller: TLSSocket): Refusal | undefined {
    const from = this.#init.addressOf(caller);
    const host = homeOf(from);
    const { host: ofHost, pair: ofPair, node: ofNode } = this.#rate;
    // The node's allowance is the last to be asked: what is refused for another reason costs the node nothing.
    if (ofHost.take(host) > 0 || ofPair.take(`${host} ${node}`) > 0) return '429 Too Many Requests';
    const isFull = this.#callers.size >= this.#limits.streams;
    if (!this.#callers.admit(caller, from)) return isFull ? '503 Service Unavailable' : '429 Too Many Requests';
    if (!this.#admit(node, caller, from) || ofNode.take(node) > 0) return '429 Too Many Requests';
    return undefined;
  }

  #admit(node: KeyId, caller: TLSSocket, from: string): boolean {
    const { streamsPerNode: connections } = this.#limits;
    const callers = this.#callersOf.get(node) ?? new Admission({ connections, perAddress: connections });
    this.#callersOf.set(node, callers);
    const isIn = callers.admit(caller, from);
    caller.once('close', () => {
      if (callers.size === 0 && this.#callersOf.get(node) === callers) this.#callersOf.delete(node);
    });
    return isIn;
  }

  #giveUp(token: string, refusal: Refusal): void {
    const call = this.#calls.get(token);
    if (call === undefined) return;
    this.#calls.delete(token);
    clearTimeout(call.timer);
    refuse(call.socket, refusal);
  }

  /** Both ways at once; each end is read only as fast as the other takes it. */
  async #splice(call: Upgrade, answer: Upgrade): Promise<void> {
    const ends = await Promise.all([this.#accept(call), this.#accept(answer)]);
    const idle = setTimeout(() => {
      for (const end of ends) end.terminate();
    }, this.#limits.idleMs).unref();
    for (const end of ends) end.on('message', () => idle.refresh());
    const [caller, node] = [relayedStream(ends[0]), relayedStream(ends[1])];
    // How it ends is the business of the two: what broke one closes the other.
    await pipeline(caller, node, caller).catch(() => undefined);
    clearTimeout(idle);
    for (const end of ends) end.terminate();
  }

  #accept({ request, socket, head }: Upgrade): Promise<WebSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
    socket.once('close', () => reject(new PeerError('CLOSED', 'expected both ends to stay, one has gone')));
    this.#sockets.handleUpgrade(request, socket, head, resolve);
    return promise;
  }
}

/** What a call is worth one answer by: 32 bits that say to which site it came, and 96 that nobody can guess. */
function newToken(site: number): string {
  const bytes = randomBytes(16);
  bytes.writeUInt32BE(site);
  return bytes.toString('base64url');
}

/** @returns the number of the site that a call came to. */
export function siteOf(token: string): number | undefined {
  const bytes = Buffer.from(token, 'base64url');
  return bytes.length === 16 ? bytes.readUInt32BE() : undefined;
}

/** In the place of the WebSocket that was asked for; `RELAY_REFUSALS` has what it means. Waits for no farewell. */
export function refuse(socket: TLSSocket, refusal: Refusal): void {
  socket.write(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  socket.destroySoon();
}
