import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import {
  homeOf,
  type KeyId,
  PeerError,
  peerKeyOf,
  RateLimit,
  type RelayCall,
  relayedStream,
  STREAM_LIMITS,
} from '@potluck/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { RELAY_LIMITS } from './limits.ts';

export interface RelayInit {
  /** Says a call to a node. @returns false when the node has no connection on which it proved its key. */
  readonly say: (node: KeyId, call: RelayCall) => boolean;
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

interface Call extends Upgrade {
  readonly node: KeyId;
  readonly timer: NodeJS.Timeout;
  readonly leave: () => void;
}

type Refusal = '404 Not Found' | '429 Too Many Requests' | '503 Service Unavailable' | '504 Gateway Timeout';

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
  /** Calls and streams: of all under '', of each node by its key, of each caller by its address. */
  readonly #open = new Map<string, number>();
  readonly #rate: { readonly node: RateLimit; readonly host: RateLimit };

  constructor(init: RelayInit) {
    this.#init = init;
    this.#limits = { ...RELAY_LIMITS, ...init.limits };
    const { callsPerNodePerSecond, callsPerHostPerSecond, rateEntries: entries, ...limits } = this.#limits;
    this.#rate = {
      node: new RateLimit({ perSecond: callsPerNodePerSecond, burst: limits.callsPerNodeBurst, entries }),
      host: new RateLimit({ perSecond: callsPerHostPerSecond, burst: limits.callsPerHostBurst, entries }),
    };
  }

  /** A caller wants that node. Its WebSocket opens when the node has answered. */
  call(node: KeyId, upgrade: Upgrade): void {
    const { socket } = upgrade;
    socket.on('error', () => undefined); // 'close' follows.
    const from = socket.remoteAddress ?? '';
    const refusal = this.#refusal(node, homeOf(from));
    const token = randomBytes(16).toString('base64url');
    if (refusal !== undefined || !this.#init.say(node, { call: token, from })) {
      refuse(socket, refusal ?? '404 Not Found');
      return;
    }
    const leave = this.#enter(node, homeOf(from));
    const timer = setTimeout(() => this.#giveUp(token, '504 Gateway Timeout'), this.#limits.answerMs).unref();
    this.#calls.set(token, { ...upgrade, node, timer, leave });
    socket.once('close', () => this.#giveUp(token, '404 Not Found'));
  }

  /** The node has dialled in for a call. A token is worth one answer, of the node that was called and no other. */
  answer(token: string, upgrade: Upgrade): void {
    upgrade.socket.on('error', () => undefined);
    const call = this.#calls.get(token);
    if (call === undefined || peerKeyOf(upgrade.socket) !== call.node) {
      refuse(upgrade.socket, '404 Not Found');
      return;
    }
    this.#calls.delete(token);
    clearTimeout(call.timer);
    void this.#splice(call, upgrade)
      .catch(() => undefined) // One of the two has gone.
      .finally(call.leave);
  }

  /** Ends every call and stream. */
  stop(): void {
    for (const token of this.#calls.keys()) this.#giveUp(token, '503 Service Unavailable');
    for (const socket of this.#sockets.clients) socket.close(1001, 'the relay stops');
  }

  #refusal(node: KeyId, host: string): Refusal | undefined {
    const { streams, streamsPerNode, streamsPerHost } = this.#limits;
    if (this.#count('') >= streams) return '503 Service Unavailable';
    if (this.#count(node) >= streamsPerNode || this.#count(host) >= streamsPerHost) return '429 Too Many Requests';
    // The node's allowance is the last to be asked: what is refused for another reason costs the node nothing.
    if (this.#rate.host.take(host) > 0 || this.#rate.node.take(node) > 0) return '429 Too Many Requests';
    return undefined;
  }

  #count(name: string): number {
    return this.#open.get(name) ?? 0;
  }

  #enter(...names: readonly string[]): () => void {
    const all = ['', ...names];
    for (const name of all) this.#open.set(name, this.#count(name) + 1);
    return () => {
      for (const name of all) {
        const left = this.#count(name) - 1;
        if (left === 0) this.#open.delete(name);
        else this.#open.set(name, left);
      }
    };
  }

  #giveUp(token: string, refusal: Refusal): void {
    const call = this.#calls.get(token);
    if (call === undefined) return;
    this.#calls.delete(token);
    clearTimeout(call.timer);
    call.leave();
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

/** In the place of the WebSocket that was asked for; `RELAY_REFUSALS` has what it means. */
export function refuse(socket: TLSSocket, refusal: Refusal): void {
  socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
