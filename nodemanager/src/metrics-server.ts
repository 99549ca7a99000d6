import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import { type Address, describeError } from '@potluck/protocol';
import type { Logger } from 'pino';
import type { NodeLimits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { listen } from './server.ts';

export interface MetricsServerComponents {
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface MetricsServerInit {
  readonly listen: Address;
  readonly limits: Pick<NodeLimits, 'metricsConnections' | 'metricsMs'>;
}

/** `GET /metrics` for Prometheus, by plain HTTP: for the machine itself, unless its owner says otherwise. */
export class MetricsServer implements AsyncDisposable {
  readonly #components: MetricsServerComponents;
  readonly #init: MetricsServerInit;
  #server: Server | undefined;

  constructor(components: MetricsServerComponents, init: MetricsServerInit) {
    this.#components = components;
    this.#init = init;
  }

  /** @returns the address that is listened on. @throws NodeManagerError PORT_IN_USE @throws ConfigError CONFIG_BROKEN */
  async start(): Promise<Address> {
    const { metricsConnections, metricsMs } = this.#init.limits;
    const timeouts = { headersTimeout: metricsMs, requestTimeout: metricsMs, keepAliveTimeout: metricsMs };
    const server = createServer(timeouts, (request, response) => void this.#answer(request, response));
    server.maxConnections = metricsConnections;
    this.#server = server;
    await listen(server, this.#init.listen, this.#components.log);
    return { host: this.#init.listen.host, port: (server.address() as AddressInfo).port };
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
