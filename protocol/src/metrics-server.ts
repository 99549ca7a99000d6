import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { describeError } from './errors.ts';
import type { Address } from './reach.ts';

export interface MetricsServerComponents {
  /** The text that Prometheus reads, and its media type. */
  readonly metrics: { text(): Promise<{ text: string; type: string }> };
  readonly log: { error(facts: object, message: string): void };
  /** Each room has its own words for an address that cannot be had. */
  readonly listen: (server: Server) => Promise<void>;
}

export interface MetricsServerInit {
  /** At once. */
  readonly connections: number;
  /** For a request to be complete, and until an idle connection is closed. */
  readonly patienceMs: number;
}

/** `GET /metrics` for Prometheus, by plain HTTP: of a node and of a clearinghouse, on an address of its own. */
export class MetricsServer implements AsyncDisposable {
  readonly #components: MetricsServerComponents;
  readonly #init: MetricsServerInit;
  #server: Server | undefined;

  constructor(components: MetricsServerComponents, init: MetricsServerInit) {
    this.#components = components;
    this.#init = init;
  }

  /** @returns the address that is listened on. @throws whatever `listen` throws */
  async start(): Promise<Address> {
    const { connections, patienceMs } = this.#init;
    const timeouts = { headersTimeout: patienceMs, requestTimeout: patienceMs, keepAliveTimeout: patienceMs };
    // How often it is looked whose time is over.
    const looks = { connectionsCheckingInterval: patienceMs };
    const server = createServer({ ...timeouts, ...looks }, (request, response) => void this.#answer(request, response));
    server.maxConnections = connections;
    this.#server = server;
    await this.#components.listen(server);
    const { address: host, port } = server.address() as AddressInfo;
    return { host, port };
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #answer({ method, url, headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isByAddress(headers.host)) return refuse(response, 421, 'expected this machine by its address');
    if (url !== '/metrics') return refuse(response, 404, 'expected /metrics');
    if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, 'expected GET');
    try {
      const { text, type } = await this.#components.metrics.text();
      response.writeHead(200, { 'content-type': type }).end(method === 'GET' ? text : undefined);
    } catch (error) {
      this.#components.log.error({ reason: describeError(error) }, 'metrics could not be told');
      refuse(response, 500, 'expected metrics, got a failure: it stands in the log');
    }
  }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
}

/** A page in a browser on this machine reaches us by a name of its own (DNS rebinding), and may not read this. */
function isByAddress(host = ''): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || isIP(name) !== 0;
}
