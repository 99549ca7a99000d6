import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import {
  Admission,
  homeOf,
  type Identity,
  keyIdSchema,
  openStream,
  peerKeyOf,
  RateLimit,
  relayedStream,
  STREAM_LIMITS,
} from '@potluck/protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import { RELAY_LIMITS } from './limits.ts';
import { type Answering, type Relay, type RelayLimits, refuse, siteOf, type Upgrade } from './relay.ts';
import type { Store } from './store/store.ts';

export interface LinkInit {
  readonly store: Pick<Store, 'sites'>;
  /** The gateway's, which is that of every site of the clearinghouse: who proves it at the gateway is one of them. */
  readonly identity: Identity;
  readonly site: number;
  /** Who is at the other end, behind a balancer as well. */
  readonly addressOf: (socket: TLSSocket) => string;
  /** Overrides of `RELAY_LIMITS`. */
  readonly limits?: Partial<RelayLimits> | undefined;
}

/**
 * From one site to another: a node answers at the one gateway address that it knows, and behind it may be another site
 * than the one to which its caller came. The answer is passed on there, through that site's own gateway.
 */
export class Link {
  readonly #init: LinkInit;
  readonly #limits: RelayLimits;
  readonly #admission: Admission;
  readonly #rate: RateLimit;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: STREAM_LIMITS.messageBytes,
    perMessageDeflate: false,
  });

  constructor(init: LinkInit) {
    this.#init = init;
    this.#limits = { ...RELAY_LIMITS, ...init.limits };
    const { streams, streamsPerHost, callsPerHostPerSecond, callsPerHostBurst, rateEntries } = this.#limits;
    this.#admission = new Admission({ connections: streams, perAddress: streamsPerHost });
    this.#rate = new RateLimit({ perSecond: callsPerHostPerSecond, burst: callsPerHostBurst, entries: rateEntries });
  }

  /** Another site passes on what a node answered to a call that came here. @param name `TOKEN.NODE` */
  take(name: string, upgrade: Upgrade, relay: Relay): void {
    const [token = '', id] = name.split('.');
    const node = keyIdSchema.safeParse(id);
    // Any other could answer in the name of any node.
    if (peerKeyOf(upgrade.socket) !== this.#init.identity.id || !node.success) refuse(upgrade.socket, '404 Not Found');
    else relay.answer({ token, node: node.data }, upgrade);
  }

  /** A node answers here a call that came to another site. */
  passOn(answering: Answering, upgrade: Upgrade): void {
    const { socket } = upgrade;
    if (socket.destroyed) return; // It would never close again.
    const from = this.#init.addressOf(socket);
    if (this.#rate.take(homeOf(from)) > 0 || !this.#admission.admit(socket, from)) {
      refuse(socket, '429 Too Many Requests');
    } else {
      void this.#join(answering, upgrade);
    }
  }

  stop(): void {
    for (const socket of this.#sockets.clients) socket.close(1001, 'the relay stops');
  }

  async #join(answering: Answering, upgrade: Upgrade): Promise<void> {
    const stream = await this.#dial(answering).catch(() => undefined);
    const { request, socket, head } = upgrade;
    if (stream === undefined) refuse(socket, '404 Not Found');
    else if (socket.destroyed) stream.destroy();
    else this.#sockets.handleUpgrade(request, socket, head, (client) => void splice(client, stream));
  }

  /** @throws PeerError the site is away, or does not know the call */
  async #dial({ token, node }: Answering): Promise<Duplex | undefined> {
    const { store, identity } = this.#init;
    const site = siteOf(token);
    const address = site === undefined ? undefined : await store.sites.linkOf(site);
    if (address === undefined) return undefined;
    const init = { path: `/link/${token}.${node}`, identity, connectTimeoutMs: this.#limits.answerMs };
    return await openStream({ ...address, key: identity.id }, init);
  }
}

/** How it ends is the business of the two: what broke one closes the other. The site of the caller watches the time. */
async function splice(client: WebSocket, stream: Duplex): Promise<void> {
  const node = relayedStream(client);
  await pipeline(node, stream, node).catch(() => undefined);
  stream.destroy();
  client.terminate();
}
