import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import {
  type Address,
  ConfigError,
  type GatewayAddress,
  generateIdentity,
  type Identity,
  loadIdentity,
  MetricsServer,
  saveIdentity,
} from '@potluck/protocol';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { backupAt } from './backup/save.ts';
import type { Bus } from './bus/bus.ts';
import { LocalBus } from './bus/local.ts';
import { PostgresBus } from './bus/postgres.ts';
import { Gateway } from './gateway.ts';
import { LIMITS, METRICS_LIMITS, POLICY } from './limits.ts';
import { listen } from './listen.ts';
import { takeLock } from './lock.ts';
import { Metrics } from './metrics.ts';
import { Pass, type PassLimits } from './pass.ts';
import { PASSWORD_COST, type PasswordCost } from './password.ts';
import { type StatePaths, statePaths } from './paths.ts';
import type { Policy } from './policy.ts';
import { Presence } from './presence.ts';
import { Queue } from './queue.ts';
import { createApp } from './site/app.ts';
import { Store } from './store/store.ts';
import { Supervisor } from './supervisor.ts';
import { startSweep } from './sweep.ts';

/** For one who only looks whether a site runs, as the doctor does: he has the lock for a moment. */
const LOCK_WAIT_MS = 1_000;

export interface ClearinghouseInit {
  /** The state directory; made if it is not there. */
  readonly state: string;
  /** `postgres://...`, if the main database is not the file in the state directory. */
  readonly database?: string | undefined;
  /** As `database`, for the donors' keys: of no use to the site, which only names it to the backend. */
  readonly keysDatabase?: string | undefined;
  /** Takes this database of donors' keys, and gives up what was donated by keys that it does not have. */
  readonly newKeysDatabase?: boolean | undefined;
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  readonly gatewayHost: string;
  readonly gatewayPort: number;
  /** Where nodes reach the gateway, if not there: a balancer before several sites. */
  readonly publicGateway?: Address | undefined;
  /** Where other sites reach this one's gateway, if not at `gatewayHost`. */
  readonly linkHost?: string | undefined;
  /** Addresses of proxies and balancers, which are believed when they say who asks. */
  readonly proxies?: readonly string[] | undefined;
  /** Where people reach the site, if not at `host:port`. */
  readonly publicUrl?: string | undefined;
  /** What donors' archives are built from. */
  readonly payload?: string | undefined;
  /** Overrides of `PASS_LIMITS`. */
  readonly passLimits?: Partial<PassLimits> | undefined;
  /** `PASSWORD_COST` unless given: for tests, which make hundreds of accounts. */
  readonly passwordCost?: PasswordCost | undefined;
  /** Where Prometheus may ask (`GET /metrics`, plain HTTP); nowhere unless given. */
  readonly metrics?: Address | undefined;
  /** The rules about credits and leases; Seattle's unless given. */
  readonly policy?: Policy;
  readonly logger: Logger;
}

interface Running {
  readonly store: Store;
  readonly bus: Bus;
  readonly gateway: Gateway;
  readonly server: Server;
  readonly supervisor: Supervisor;
  readonly identity: Identity;
  readonly metrics: Address | undefined;
}

/** The whole clearinghouse: site, gateway and the backend process. */
export class Clearinghouse implements AsyncDisposable {
  readonly #init: ClearinghouseInit;
  /** What has been started, undone in reverse. */
  readonly #cleanup = new AsyncDisposableStack();
  #running: Running | undefined;

  constructor(init: ClearinghouseInit) {
    this.#init = init;
  }

  /** @throws ServiceError PORT_IN_USE, CANNOT_LISTEN, ALREADY_RUNNING, STATE_BROKEN @throws ConfigError KEY_FILE_* */
  async start(): Promise<void> {
    try {
      await this.#startAll(statePaths(this.#init.state));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Where the site is; no slash at the end. */
  get url(): string {
    if (this.#init.publicUrl !== undefined) return this.#init.publicUrl.replace(/\/+$/, '');
    return `http://${inUrl(reachable(this.#init.host))}:${this.port}`;
  }

  /** The port that the site listens on. */
  get port(): number {
    return (this.#parts.server.address() as AddressInfo).port;
  }

  /** Where Prometheus may ask. */
  get metricsAddress(): Address | undefined {
    return this.#parts.metrics;
  }

  /** What a proxy or a balancer has before it. */
  get listening(): { host: string; port: number; gatewayPort: number } {
    return { host: this.#init.host, port: this.port, gatewayPort: this.#parts.gateway.port };
  }

  get gatewayAddress(): GatewayAddress {
    const { gateway, identity } = this.#parts;
    const { publicGateway } = this.#init;
    if (publicGateway !== undefined) return { ...publicGateway, key: identity.id };
    const host = isWildcard(this.#init.gatewayHost) ? unbracketed(new URL(this.url).hostname) : this.#init.gatewayHost;
    return { host, port: gateway.port, key: identity.id };
  }

  /** The backend's process id, while one runs. */
  get backendPid(): number | undefined {
    return this.#parts.supervisor.pid;
  }

  /** What is said in this clearinghouse; only while it runs. */
  get bus(): Bus {
    return this.#parts.bus;
  }

  async stop(): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #parts(): Running {
    if (this.#running === undefined) throw new ConfigError('USAGE', 'expected start() to be called first');
    return this.#running;
  }

  /** Where other sites reach this one. */
  get #linkAddress(): Address {
    const { gatewayHost, linkHost } = this.#init;
    return { host: linkHost ?? reachable(gatewayHost), port: this.#parts.gateway.port };
  }

  async #openBus(store: Store, site: number): Promise<Bus> {
    const { database, logger } = this.#init;
    if (database === undefined) return new LocalBus({ logger });
    const bus = new PostgresBus({
      url: database,
      site,
      siteOf: async (node) => await store.sites.siteOf(node),
      logger,
    });
    await bus.start();
    return bus;
  }

  #supervise(bus: Bus): Supervisor {
    const { state, database, keysDatabase, newKeysDatabase, logger } = this.#init;
    const databases = { database, keysDatabase, newKeysDatabase };
    return new Supervisor({ state, ...databases, gateway: () => this.gatewayAddress, logger, bus });
  }

  async #startAll(paths: StatePaths): Promise<void> {
    const { logger, host, port, payload, policy = POLICY, database, proxies = [] } = this.#init;
    const cleanup = this.#cleanup;
    cleanup.use(takeLock(paths.lock, LOCK_WAIT_MS));
    const identity = await gatewayIdentity(paths.gatewayKey);
    const metrics = this.#init.metrics === undefined ? undefined : new Metrics();
    const store = cleanup.use(await Store.open(database ?? paths.database, { onStatement: metrics?.onStatement }));
    await store.policies.adopt(policy);
    const presence = cleanup.use(
      new Presence({ store, logger }, { gatewayKey: identity.id, alone: database === undefined }),
    );
    const site = await presence.join();
    const bus = cleanup.use(await this.#openBus(store, site));
    const supervisor = this.#supervise(bus);
    const queue = new Queue(store, bus);
    const { gatewayHost, gatewayPort, passwordCost = PASSWORD_COST } = this.#init;
    const dialled = { identity, host: gatewayHost, port: gatewayPort };
    const gateway = new Gateway({ store, bus }, { ...dialled, proxies, logger, site });
    const server = createServer({ keepAliveTimeout: LIMITS.keepAliveMs });
    this.#running = { store, bus, supervisor, gateway, server, identity, metrics: undefined };
    const facts = {
      publicUrl: () => this.url,
      gateway: () => this.gatewayAddress,
      backendRuns: () => supervisor.pid !== undefined,
      proxies,
      payload,
      passwordCost,
      onAnswered: metrics?.onAnswered,
    };
    await listen(server, { host, port, what: 'the site' });
    cleanup.defer(async () => await close(server));
    server.on('request', createApp({ store, bus, queue, logger }, facts));
    const pass = new Pass(store, { publicUrl: facts.publicUrl, gateway: facts.gateway, limits: this.#init.passLimits });
    cleanup.defer(() => pass.stop());
    server.on('upgrade', (request, socket, head) => pass.upgrade({ request, socket, head }));
    cleanup.defer(async () => await gateway.stop());
    await gateway.start();
    await presence.start(this.#linkAddress, async () => await gateway.again());
    cleanup.defer(async () => await supervisor.stop());
    await supervisor.start();
    cleanup.use(startSweep({ store, bus, queue, logger, backendRuns: facts.backendRuns }));
    if (metrics !== undefined) await this.#measure(metrics, { pass, backup: paths.backup });
  }

  /** Opens the metrics last, when there is something to tell. */
  async #measure(metrics: Metrics, { pass, backup }: { pass: Pass; backup: string }): Promise<void> {
    const { logger, metrics: { host, port } = { host: '127.0.0.1', port: 0 } } = this.#init;
    const { store, bus, gateway, supervisor: backend } = this.#parts;
    metrics.observe({
      ...{ version: packageJson.version, bus, backend },
      census: async () => await store.condition.census(),
      gateway: () => gateway.counts,
      passed: () => pass.size,
      backupAt: async () => await backupAt(backup),
    });
    const server = new MetricsServer(
      { metrics, log: logger, listen: async (on) => await listen(on, { host, port, what: 'the metrics' }) },
      METRICS_LIMITS,
    );
    const listening = await this.#cleanup.use(server).start();
    this.#running = { ...this.#parts, metrics: { ...listening, host } };
  }
}

async function gatewayIdentity(path: string): Promise<Identity> {
  try {
    return await loadIdentity(path);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.code !== 'KEY_FILE_MISSING') throw error;
    const identity = generateIdentity();
    await saveIdentity(path, identity);
    return identity;
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), LIMITS.stopMs);
  await closed;
  clearTimeout(timer);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function reachable(host: string): string {
  return isWildcard(host) ? 'localhost' : host;
}

function inUrl(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

function unbracketed(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
