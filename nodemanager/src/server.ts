import { createServer, type Server } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import {
  Admission,
  ConfigError,
  FairQueue,
  homeOf,
  type Identity,
  LIMITS,
  RateLimit,
  type TlsOptions,
  tlsOptionsOf,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import { ByteBudget } from './budget.ts';
import { CLOSE_CODES, Connection } from './connection.ts';
import type { Dispatcher } from './dispatch.ts';
import { codeOf, NodeManagerError } from './errors.ts';
import type { NodeLimits } from './limits.ts';
import { Rates } from './rates.ts';

export interface RequestServerComponents {
  readonly identity: Identity;
  readonly dispatcher: Dispatcher;
  readonly log: Logger;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface RequestServerInit {
  readonly listen: readonly [ListenAddress, ...ListenAddress[]];
  readonly limits: NodeLimits;
}

/** WebSockets over TLS 1.3, pinned to the node's key. */
export class RequestServer implements AsyncDisposable {
  readonly #components: RequestServerComponents;
  readonly #init: RequestServerInit;
  readonly #admission: Admission;
  readonly #servers: Server[] = [];
  #webSockets: WebSocketServer | undefined;
  #secureContext: SecureContext | undefined;

  constructor(components: RequestServerComponents, init: RequestServerInit) {
    this.#components = components;
    this.#init = init;
    const { connections, connectionsPerAddress: perAddress, connectionsPerSecond: perSecond, ...more } = init.limits;
    const rate = new RateLimit({ perSecond, burst: more.connectionsBurst, entries: more.rateEntries });
    this.#admission = new Admission({ connections, perAddress, rate });
  }

  /** @returns the addresses that are listened on. @throws NodeManagerError PORT_IN_USE @throws ConfigError CONFIG_BROKEN */
  async start(): Promise<[ListenAddress, ...ListenAddress[]]> {
    const tls = await tlsOptionsOf(this.#components.identity);
    this.#webSockets = this.#accept();
    this.#secureContext = createSecureContext(tls);
    const [first, ...others] = this.#init.listen;
    return [await this.#listen(tls, first), ...(await Promise.all(others.map((one) => this.#listen(tls, one))))];
  }

  #make(tls: TlsOptions): Server {
    const { log } = this.#components;
    const { handshakeMs } = this.#init.limits;
    const server = createServer({
      ...tls,
      handshakeTimeout: handshakeMs,
      headersTimeout: handshakeMs,
      requestTimeout: handshakeMs,
      connectionsCheckingInterval: Math.min(1000, handshakeMs),
    });
    this.#servers.push(server);
    this.#admission.guard(server);
    server.on('tlsClientError', (error) => log.debug({ reason: error.message }, 'a TLS handshake failed'));
    server.on('request', (_request, response) => response.writeHead(426, { connection: 'close' }).end());
    server.on('upgrade', (request, socket, head) => {
      this.#webSockets?.handleUpgrade(request, socket, head, (client) => {
        this.#webSockets?.emit('connection', client, request);
      });
    });
    return server;
  }

  /** Serves a stream that came through a relay like a connection; `from` is what the relay says of the caller. */
  take(stream: Duplex, from: string): void {
    const [server] = this.#servers;
    const { handshakeMs } = this.#init.limits;
    // A name of its own: what a relay says must cost nobody who comes straight his place.
    const remoteAddress = `relay ${homeOf(from)}`;
    if (server === undefined || !this.#admission.admit(stream, remoteAddress)) {
      stream.destroy();
      return;
    }
    const socket = new TLSSocket(stream, { isServer: true, secureContext: this.#secureContext });
    Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
    const late = setTimeout(() => stream.destroy(), handshakeMs).unref();
    socket.once('secure', () => {
      clearTimeout(late);
      server.emit('secureConnection', socket);
    });
    socket.on('error', () => stream.destroy());
    stream.once('close', () => {
      clearTimeout(late);
      socket.destroy();
    });
  }

  /** Says farewell to every client. */
  async stop(): Promise<void> {
    const servers = this.#servers.splice(0);
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const client of this.#webSockets?.clients ?? []) {
      // A server does not wait for what came through a relay.
      closed.push(new Promise((resolve) => client.once('close', () => resolve())));
      client.close(CLOSE_CODES.goingAway, 'the node manager stops');
    }
    const cut = setTimeout(() => this.#admission.cut(), this.#init.limits.farewellMs);
    for (const server of servers) server.closeIdleConnections();
    await Promise.all(closed);
    clearTimeout(cut);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Clients that are connected now. */
  get connections(): number {
    return this.#webSockets?.clients.size ?? 0;
  }

  #accept(): WebSocketServer {
    const { dispatcher, log } = this.#components;
    const { limits } = this.#init;
    const budget = new ByteBudget({ limitBytes: limits.heldBytes, perAddressBytes: limits.addressHeldBytes });
    const rates = new Rates(limits);
    // How many wait is bounded by connection.
    const checks = new FairQueue({ atOnce: limits.checksAtOnce, perCaller: Number.POSITIVE_INFINITY, of: 'requests' });
    const webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: LIMITS.messageBytes,
      perMessageDeflate: false,
    });
    webSockets.on('connection', (socket, request) => {
      const carrier = request.socket;
      const address = homeOf(carrier.remoteAddress ?? '');
      new Connection({ dispatcher, budget, rates, checks, log }, { socket, carrier, address, limits });
    });
    return webSockets;
  }

  async #listen(tls: TlsOptions, { host, port }: ListenAddress): Promise<ListenAddress> {
    const server = this.#make(tls);
    await listen(server, { host, port }, this.#components.log);
    return { host, port: (server.address() as AddressInfo).port };
  }
}

/**
 * Returns when it listens; what goes wrong later stands in the log.
 * @throws NodeManagerError PORT_IN_USE @throws ConfigError CONFIG_BROKEN
 */
export async function listen(server: NetServer, { host, port }: ListenAddress, log: Logger): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw listenError(host, port, cause);
  }
  server.off('error', reject);
  server.on('error', (error) => log.error({ err: error }, 'the server reported an error'));
}

function listenError(host: string, port: number, cause: unknown): Error {
  if (codeOf(cause) === 'EADDRINUSE') {
    return new NodeManagerError('PORT_IN_USE', `expected port ${port} of ${host} to be free, got one that is in use`);
  }
  return new ConfigError('CONFIG_BROKEN', `expected an address to listen on in listen, got ${host} port ${port}`, {
    cause,
  });
}
