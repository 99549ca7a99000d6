import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  Admission,
  describeError,
  GATEWAY,
  type Identity,
  type KeyId,
  keyIdSchema,
  PeerError,
  peerKeyOf,
  RateLimit,
  type RelayCall,
  relayCallSchema,
  toBuffer,
  verifyAdvertisement,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { Balanced } from './balanced.ts';
import type { Bus } from './bus/bus.ts';
import { BusError } from './errors.ts';
import { bad, type Connection, closeLater, isTooFast, reply } from './gateway-connection.ts';
import { gatewayServer } from './gateway-server.ts';
import { LIMITS, RELAY_LIMITS, SITE_LIMITS } from './limits.ts';
import { Link } from './link.ts';
import { listen } from './listen.ts';
import { Relay, type RelayLimits, refuse, siteOf, type Upgrade } from './relay.ts';
import type { Store } from './store/store.ts';

export interface GatewayComponents {
  readonly store: Store;
  /** Is told of nodes that come and go, and of tasks that may wait for them; brings calls to nodes of other sites. */
  readonly bus: Bus;
}

type GatewayLimits = Readonly<Record<Extract<keyof typeof LIMITS, `gateway${string}`>, number>>;

export interface GatewayInit {
  readonly identity: Identity;
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  readonly logger: Logger;
  /** The number of this site process. */
  readonly site?: number;
  /** Addresses of balancers that say in a PROXY line who has dialled. */
  readonly proxies?: readonly string[] | undefined;
  /** Overrides of `LIMITS`. */
  readonly limits?: Partial<GatewayLimits>;
  /** Overrides of `RELAY_LIMITS`. */
  readonly relayLimits?: Partial<RelayLimits>;
}

export interface GatewayCounts {
  readonly nodes: number;
  readonly streams: number;
  readonly dials: Admission['counts'];
  /** What nodes have said of themselves: their heartbeats. */
  readonly advertisements: { readonly taken: number; readonly refused: number };
}

/** Where nodes dial in. It takes their signed advertisements, and knows by the open connection that they are there. */
export class Gateway {
  readonly #store: Store;
  readonly #bus: Bus;
  readonly #init: GatewayInit;
  readonly #connections = new Set<Connection>();
  readonly #limits: GatewayLimits;
  readonly #admission: Admission;
  readonly #relay: Relay;
  readonly #link: Link;
  readonly #site: number;
  #unsubscribe: () => void = () => undefined;
  readonly #balanced: Balanced;
  #server: NetServer | undefined;
  readonly #advertisements = { taken: 0, refused: 0 };

  constructor({ store, bus }: GatewayComponents, init: GatewayInit) {
    this.#store = store;
    this.#bus = bus;
    this.#init = init;
    this.#limits = { ...LIMITS, ...init.limits };
    this.#admission = new Admission({
      connections: this.#limits.gatewayConnections,
      perAddress: this.#limits.gatewayConnectionsPerHost,
      rate: new RateLimit({
        perSecond: this.#limits.gatewayDialsPerHostPerSecond,
        burst: this.#limits.gatewayDialsPerHostBurst,
        entries: RELAY_LIMITS.rateEntries,
      }),
    });
    this.#site = init.site ?? 0;
    this.#balanced = new Balanced(init.proxies ?? []);
    const addressOf = (socket: TLSSocket): string => this.#balanced.addressOf(socket);
    this.#relay = new Relay({
      addressOf,
      site: this.#site,
      say: async (node, call) => await this.#say(node, call),
      limits: init.relayLimits,
    });
    this.#link = new Link({ store, identity: init.identity, site: this.#site, addressOf, limits: init.relayLimits });
  }

  /** @throws ServiceError PORT_IN_USE, CANNOT_LISTEN */
  async start(): Promise<void> {
    const server = await gatewayServer(this.#init.identity);
    server.on('connection', (socket: Socket) => {
      if (!this.#admission.admit(socket, this.#balanced.addressOf(socket))) socket.destroy();
    });
    const sockets = new WebSocketServer({
      noServer: true,
      maxPayload: GATEWAY.messageBytes,
      perMessageDeflate: false,
    });
    server.on('upgrade', (request, socket, head) => {
      this.#route(sockets, { request, socket: socket as TLSSocket, head });
    });
    const listening = this.#balanced.before(server);
    await listen(listening, { host: this.#init.host, port: this.#init.port, what: 'the gateway' });
    this.#server = listening;
    this.#unsubscribe = this.#bus.answer((node, question) => this.#tell(node, relayCallSchema.parse(question)));
  }

  /** Other sites took this one for dead: its nodes are there all the same. */
  async again(): Promise<void> {
    const nodes = [...this.#connections].flatMap(({ node }) => (node === undefined ? [] : [node]));
    await this.#store.nodes.back(nodes, this.#site);
    this.#bus.publish('node.changed', {});
  }

  /** Since its start, but for what is open now: connections of nodes, and calls and streams of the relay. */
  get counts(): GatewayCounts {
    const open = { nodes: this.#connections.size, streams: this.#relay.size };
    return { ...open, dials: this.#admission.counts, advertisements: this.#advertisements };
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | undefined;
    return address?.port ?? this.#init.port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = once(server, 'close');
    this.#unsubscribe();
    server.close();
    this.#relay.stop();
    this.#link.stop();
    for (const { socket } of this.#connections) socket.close(1001, 'the clearinghouse stops');
    const timer = setTimeout(() => this.#admission.cut(), 1000);
    await closed;
    clearTimeout(timer);
    await Promise.all([...this.#connections].map(({ work }) => work));
  }

  #route(sockets: WebSocketServer, upgrade: Upgrade): void {
    const { request, socket, head } = upgrade;
    socket.on('error', () => undefined); // 'close' follows.
    const [, what, name = ''] = /^\/(call|answer|link)\/([^/]+)$/.exec(request.url ?? '') ?? [];
    const node = keyIdSchema.safeParse(name);
    if (what === 'answer') this.#answer(name, upgrade);
    else if (what === 'link') this.#link.take(name, upgrade, this.#relay);
    else if (what === 'call' && node.success) this.#relay.call(node.data, upgrade);
    else if (request.url !== '/') refuse(socket, '404 Not Found');
    else sockets.handleUpgrade(request, socket, head, (client) => this.#accept(client, request));
  }

  /** A node has dialled in for a call that came to this site or to another one. */
  #answer(token: string, upgrade: Upgrade): void {
    const node = peerKeyOf(upgrade.socket);
    if (node === undefined) refuse(upgrade.socket, '404 Not Found');
    else if (siteOf(token) === this.#site) this.#relay.answer({ token, node }, upgrade);
    else this.#link.passOn({ token, node }, upgrade);
  }

  /** To whichever site has the node. */
  async #say(node: KeyId, call: RelayCall): Promise<boolean> {
    try {
      await this.#bus.request(node, call, SITE_LIMITS.questionMs);
      return true;
    } catch (error) {
      if (!(error instanceof BusError)) this.#init.logger.error({ error: describeError(error) }, 'gateway');
      return false;
    }
  }

  /** To the node's newest connection: an older one may be dead without knowing it. */
  #tell(node: KeyId, call: RelayCall): object | undefined {
    const open = [...this.#connections].filter(({ socket }) => socket.readyState === socket.OPEN);
    const connection = open.findLast((one) => one.node === node && one.takesCalls);
    connection?.socket.send(JSON.stringify(call));
    return connection && {};
  }

  #accept(socket: WebSocket, { socket: carrier }: IncomingMessage): void {
    socket.on('error', () => undefined); // 'close' follows.
    const connection: Connection = {
      socket,
      host: this.#balanced.addressOf(carrier),
      proved: peerKeyOf(carrier as TLSSocket),
      node: undefined,
      takesCalls: false,
      recent: [],
      timer: closeLater(socket, LIMITS.gatewayHelloMs),
      work: Promise.resolve(),
    };
    this.#connections.add(connection);
    socket.on('message', (data, isBinary) =>
      this.#enqueue(connection, () => this.#receive(connection, data, isBinary)),
    );
    socket.on('close', () => {
      clearTimeout(connection.timer);
      this.#enqueue(connection, () => this.#forget(connection));
    });
  }

  /** No more is read meanwhile: else what waits here would grow for whoever sends faster than the database writes. */
  #enqueue(connection: Connection, job: () => Promise<void>): void {
    const { socket, work } = connection;
    if (socket.readyState === socket.OPEN) socket.pause();
    connection.work = work.then(job).catch((error: unknown) => {
      this.#init.logger.error({ error: describeError(error) }, 'gateway');
      socket.terminate();
    });
    void connection.work.finally(() => socket.resume());
  }

  async #receive(connection: Connection, data: RawData, isBinary: boolean): Promise<void> {
    const { socket } = connection;
    if (socket.readyState !== socket.OPEN) return;
    try {
      if (isTooFast(connection))
        throw bad(`at most ${LIMITS.gatewayMessagesPerMinute} advertisements in a minute, got more`);
      if (isBinary) throw bad('an advertisement as a text message, got a binary one');
      await this.#take(connection, toBuffer(data).toString('utf8'));
      this.#advertisements.taken += 1;
      reply(socket, { ok: true });
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#advertisements.refused += 1;
      reply(socket, { ok: false, message: error.message.slice(0, 1000) });
      socket.close(1008, 'advertisement refused');
    }
  }

  async #take(connection: Connection, jws: string): Promise<void> {
    const { node, advertisement } = await verifyAdvertisement(jws);
    const { addresses, relays } = advertisement;
    if (addresses.length + relays.length === 0) throw bad('an advertisement with an address or a relay, got none');
    // An advertisement is public: whoever repeats one must not make its node look as if it were there.
    if (connection.proved !== node) {
      const proved = connection.proved === undefined ? 'none' : `that of ${connection.proved}`;
      throw bad(`the key of node ${node} to be proved on its connection, got ${proved}`);
    }
    const first = connection.node === undefined;
    const facts = { node, advertisement, jws, first, host: connection.host, site: this.#site };
    const taken = await this.#store.nodes.seen(facts);
    if (!taken) throw bad('an advertisement newer than the last one, got an older one');
    connection.node = node;
    connection.takesCalls = relays.length > 0;
    clearTimeout(connection.timer);
    connection.timer = closeLater(connection.socket, advertisement.exp * 1000 - Date.now());
    if (first) this.#init.logger.info({ node, host: connection.host }, 'node is here');
    this.#bus.publish('tasks.waiting', {});
    if (first) this.#bus.publish('node.changed', { node });
  }

  async #forget(connection: Connection): Promise<void> {
    this.#connections.delete(connection);
    const { node } = connection;
    if (node === undefined) return;
    // A node that has dialled again hangs up the connection before.
    if ([...this.#connections].some((other) => other.node === node)) return;
    this.#init.logger.info({ node }, 'node is away');
    await this.#store.nodes.gone(node, this.#site);
    this.#bus.publish('node.changed', { node });
  }
}
