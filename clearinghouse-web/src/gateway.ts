import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  Admission,
  describeError,
  GATEWAY,
  type GatewayReply,
  type Identity,
  type KeyId,
  PeerError,
  tlsOptionsOf,
  toBuffer,
  verifyAdvertisement,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { LIMITS } from './limits.ts';
import { listen } from './listen.ts';
import type { Store } from './store/store.ts';

export interface GatewayInit {
  readonly identity: Identity;
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  readonly logger: Logger;
  /** A node was seen: there may be tasks for it. */
  readonly onSeen: () => void;
}

interface Connection {
  readonly socket: WebSocket;
  readonly host: string;
  node: KeyId | undefined;
  /** When its messages of the last minute came. */
  recent: number[];
  /** Closes it when no advertisement came in time. */
  timer: NodeJS.Timeout;
  /** Messages are dealt with one after the other. */
  work: Promise<void>;
}

/** Where nodes dial in. It takes their signed advertisements, and knows by the open connection that they are there. */
export class Gateway {
  readonly #store: Store;
  readonly #init: GatewayInit;
  readonly #connections = new Set<Connection>();
  readonly #admission = new Admission({
    connections: LIMITS.gatewayConnections,
    perAddress: LIMITS.gatewayConnectionsPerHost,
  });
  #server: Server | undefined;

  constructor(store: Store, init: GatewayInit) {
    this.#store = store;
    this.#init = init;
  }

  /** @throws ServiceError PORT_IN_USE, CANNOT_LISTEN */
  async start(): Promise<void> {
    await this.#store.nodes.allGone();
    const server = createServer({
      ...(await tlsOptionsOf(this.#init.identity)),
      handshakeTimeout: LIMITS.gatewayHelloMs,
      headersTimeout: LIMITS.gatewayHelloMs,
      requestTimeout: LIMITS.gatewayHelloMs,
      connectionsCheckingInterval: 1000,
    });
    this.#admission.guard(server);
    server.on('request', (_request, response) => response.writeHead(426, { connection: 'close' }).end());
    const sockets = new WebSocketServer({ server, maxPayload: GATEWAY.messageBytes, perMessageDeflate: false });
    sockets.on('error', () => undefined); // The HTTPS server's error is thrown by `listen`.
    sockets.on('connection', (socket, request) => this.#accept(socket, request.socket.remoteAddress ?? ''));
    await listen(server, { host: this.#init.host, port: this.#init.port, what: 'the gateway' });
    this.#server = server;
  }

  get port(): number {
    const address = this.#server?.address() as AddressInfo | undefined;
    return address?.port ?? this.#init.port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    for (const { socket } of this.#connections) socket.close(1001, 'the clearinghouse stops');
    const timer = setTimeout(() => this.#admission.cut(), 1000);
    await closed;
    clearTimeout(timer);
    await Promise.all([...this.#connections].map(({ work }) => work));
  }

  #accept(socket: WebSocket, host: string): void {
    socket.on('error', () => undefined); // 'close' follows.
    const connection: Connection = {
      socket,
      host,
      node: undefined,
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

  #enqueue(connection: Connection, job: () => Promise<void>): void {
    connection.work = connection.work.then(job).catch((error: unknown) => {
      this.#init.logger.error({ error: describeError(error) }, 'gateway');
      connection.socket.terminate();
    });
  }

  async #receive(connection: Connection, data: RawData, isBinary: boolean): Promise<void> {
    const { socket } = connection;
    if (socket.readyState !== socket.OPEN) return;
    try {
      if (isTooFast(connection))
        throw bad(`at most ${LIMITS.gatewayMessagesPerMinute} advertisements in a minute, got more`);
      if (isBinary) throw bad('an advertisement as a text message, got a binary one');
      await this.#take(connection, toBuffer(data).toString('utf8'));
      reply(socket, { ok: true });
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      reply(socket, { ok: false, message: error.message.slice(0, 1000) });
      socket.close(1008, 'advertisement refused');
    }
  }

  async #take(connection: Connection, jws: string): Promise<void> {
    const { node, advertisement } = await verifyAdvertisement(jws);
    const { addresses, relays } = advertisement;
    if (addresses.length + relays.length === 0) throw bad('an advertisement with an address or a relay, got none');
    if (connection.node !== undefined && connection.node !== node) {
      throw bad(`advertisements of node ${connection.node} on its connection, got one of ${node}`);
    }
    const first = connection.node === undefined;
    const taken = await this.#store.nodes.seen({ node, advertisement, jws, first });
    if (!taken) throw bad('an advertisement newer than the last one, got an older one');
    connection.node = node;
    clearTimeout(connection.timer);
    connection.timer = closeLater(connection.socket, advertisement.exp * 1000 - Date.now());
    if (first) this.#init.logger.info({ node, host: connection.host }, 'node is here');
    this.#init.onSeen();
  }

  async #forget(connection: Connection): Promise<void> {
    this.#connections.delete(connection);
    const { node } = connection;
    if (node === undefined) return;
    // Somebody who only repeats a node's public text must not be able to take it away by hanging up.
    if ([...this.#connections].some((other) => other.node === node)) return;
    this.#init.logger.info({ node }, 'node is away');
    await this.#store.nodes.gone(node);
  }
}

function bad(expected: string): PeerError {
  return new PeerError('BAD_REPLY', `expected ${expected}`);
}

function reply(socket: WebSocket, message: GatewayReply): void {
  socket.send(JSON.stringify(message));
}

function isTooFast(connection: Connection): boolean {
  const now = Date.now();
  connection.recent = connection.recent.filter((at) => at > now - 60_000);
  connection.recent.push(now);
  return connection.recent.length > LIMITS.gatewayMessagesPerMinute;
}

function closeLater(socket: WebSocket, ms: number): NodeJS.Timeout {
  return setTimeout(() => socket.close(1008, 'expected an advertisement in time'), Math.max(0, ms)).unref();
}
