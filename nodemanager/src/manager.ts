import type { Server } from 'node:http';
import {
  type Address,
  describeError,
  type Identity,
  type KeyId,
  MetricsServer,
  parseRestrictions,
} from '@potluck/protocol';
import {
  detectWalls,
  Governor,
  type OuterWall,
  prebuiltRuntime,
  type RuntimeFiles,
  runtimeFiles,
} from '@potluck/vessel-runtime';
import type Database from 'better-sqlite3';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { loadConfig, type NodeConfig } from './config.ts';
import { openDatabase } from './database.ts';
import { Directory } from './directory.ts';
import { Dispatcher } from './dispatch.ts';
import { NodeManagerError } from './errors.ts';
import { handlersOf } from './handlers.ts';
import { LatencyMeter } from './latency.ts';
import { type Layer, loadLayers } from './layers.ts';
import { NODE_LIMITS, type NodeLimits } from './limits.ts';
import { StateLock } from './lock.ts';
import { Metrics, type MetricsSources } from './metrics.ts';
import { networkOf } from './network.ts';
import { type StatePaths, statePaths } from './paths.ts';
import { type Demand, WarmPool, type WarmPoolComponents, warmMost } from './pool.ts';
import { Presence, type PresenceInit } from './presence.ts';
import { ProcessStore } from './processes.ts';
import { Launcher } from './program.ts';
import { SqliteReplayStore } from './replays.ts';
import type { Router } from './router.ts';
import { listen, RequestServer } from './server.ts';
import { makeState, openLog, ownIdentity } from './state.ts';
import { type NodeReach, removeAddress, writeAddress, writeReach } from './status.ts';
import { VesselStore } from './vessel-store.ts';
import { Vessels } from './vessels.ts';

export interface NodeManagerInit {
  /** The state directory; made when it is not there. */
  readonly state: string;
  /** Where `vessel.mjs` and `isolated-vm.node` are; without it they are built into the state directory. */
  readonly runtime?: string | undefined;
  /** Overrides of `NODE_LIMITS`. */
  readonly limits?: Partial<NodeLimits>;
  /** Who is asked to map ports, in the place of the router of the default route: a word of code only, for the tests. */
  readonly router?: Router | undefined;
  /**
   * Walls that no vessel of this node manager gets, and `GetVessels` says so: how the tests try the others. It is a word
   * of code only: there is no option, environment or configuration for it.
   */
  readonly without?: readonly OuterWall[];
}

type Listening = readonly [Address, ...Address[]];

interface Running {
  readonly id: KeyId;
  readonly addresses: Listening;
  readonly stack: AsyncDisposableStack;
}

/** The daemon of one node: vessels, requests, advertisement, in one state directory. */
export class NodeManager implements AsyncDisposable {
  readonly #paths: StatePaths;
  readonly #init: NodeManagerInit;
  readonly #limits: NodeLimits;
  #running: Running | undefined;
  #stopping: Promise<void> | undefined;
  #vessels: Vessels | undefined;

  constructor(init: NodeManagerInit) {
    this.#init = init;
    this.#paths = statePaths(init.state);
    this.#limits = { ...NODE_LIMITS, ...init.limits };
  }

  /** The node's key; known once started. */
  get id(): KeyId {
    return this.#started().id;
  }

  /** Where requests are listened for first; known once started. */
  get address(): Address {
    return this.#started().addresses[0];
  }

  /** Everywhere that requests are listened for; known once started. */
  get addresses(): readonly Address[] {
    return this.#started().addresses;
  }

  /**
   * Returns when requests are answered; on failure nothing of it is left running.
   * @throws NodeManagerError PORT_IN_USE, ALREADY_RUNNING, STATE_UNUSABLE
   * @throws ConfigError CONFIG_BROKEN, KEY_FILE_MISSING, KEY_FILE_BROKEN, KEY_FILE_EXPOSED
   */
  async start(): Promise<void> {
    await using stack = new AsyncDisposableStack();
    await makeState(this.#paths);
    const config = await loadConfig(this.#paths.config);
    const layers = await loadLayers(config.layers, this.#paths);
    stack.use(StateLock.take(this.#paths));
    await removeAddress(this.#paths); // Of one that was killed: nobody is there yet.
    const identity = await ownIdentity(this.#paths);
    const log = openLog(this.#paths, this.#limits, stack);
    const database = openDatabase(this.#paths, this.#limits.databaseReserveBytes);
    stack.defer(() => void database.close());
    const parts = { config, layers, identity, log, database, metrics: new Metrics(), stack };
    const addresses = await this.#serve(parts);
    log.info({ node: identity.id, addresses }, 'the node manager listens');
    stack.defer(() => log.info('the node manager stops'));
    this.#running = { id: identity.id, addresses, stack: stack.move() };
  }

  /**
   * Programs that run are told, ended and recorded as `Stale`; clients are told farewell. A second call, while the first
   * is under way, gives no program any more time.
   */
  async stop(): Promise<void> {
    if (this.#stopping !== undefined) await Promise.all([this.#stopping, this.#vessels?.stop()]);
    const running = this.#running;
    this.#running = undefined;
    this.#stopping = running?.stack.disposeAsync().finally(() => {
      this.#stopping = undefined;
    });
    await this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #started(): Running {
    if (this.#running !== undefined) return this.#running;
    throw new NodeManagerError('NOT_RUNNING', 'expected a node manager that was started, got one that was not');
  }

  /** Later parts use earlier ones, and stop before them. */
  async #serve(parts: Parts): Promise<Listening> {
    const { config, layers, identity, log, database, metrics, stack } = parts;
    const limits = this.#limits;
    const processes = await ownProcesses(parts);
    const governor = stack.use(new Governor());
    const { without = [] } = this.#init;
    if (!without.includes('governor')) await governor.start();
    const store = new VesselStore(database);
    const pool: WarmPool = this.#pool({ processes, log }, config, () => vessels.demand());
    const network = networkOf(config, undefined, () => presence.mapped);
    const launcher = new Launcher({ pool, governor, metrics }, { network, layers, limits });
    const vessels: Vessels = new Vessels(
      { store, launcher, log },
      { paths: this.#paths, limits, initial: config.vessels, offcut: parseRestrictions(config.offcut, 'offcut') },
    );
    this.#vessels = stack.use(vessels);
    await vessels.start();
    stack.use(pool);
    const presenceInit = this.#presence(parts, () => vessels.keys());
    const presence: Presence = new Presence({ identity, log }, presenceInit);
    const handlers = handlersOf(vessels, {
      node: identity.id,
      version: packageJson.version,
      walls: wallsOf(without, stack),
      layers: layers.map(({ name }) => name),
      directory: config.directory ? new Directory(limits) : undefined,
      advertisement: async () => await presence.advertisement(),
      latency: new LatencyMeter(network, limits),
      onKeysChanged: () => presence.changed(),
    });
    const replays = new SqliteReplayStore(database);
    const dispatcher = new Dispatcher({ identity, replays, vessels, handlers, metrics, log });
    const server = stack.use(new RequestServer({ identity, dispatcher, log }, { listen: config.listen, limits }));
    const addresses = await server.start();
    pool.start();
    stack.use(presence).start(addresses, server);
    const measured = await measure(parts, limits, {
      vessels: () => vessels.all(),
      connections: () => server.connections,
      warmProcesses: () => pool.size,
      isKnown: () => presence.isKnown,
    });
    await writeAddress(this.#paths, { ...addresses[0], node: identity.id, pid: process.pid, metrics: measured });
    stack.defer(async () => await removeAddress(this.#paths));
    return addresses;
  }

  /** The file with how others come here follows what is so, one writing after the other. */
  #presence({ config, log, stack }: Parts, keys: () => KeyId[]): PresenceInit {
    let written = Promise.resolve();
    const onReach = (found: NodeReach): void => {
      const fail = (error: unknown): void => log.warn({ reason: describeError(error) }, 'reach.json cannot be written');
      written = written.then(async () => await writeReach(this.#paths, found)).catch(fail);
    };
    stack.defer(async () => await written.then(async () => await removeAddress(this.#paths)));
    return { config, keys, onReach, limits: this.#limits, router: this.#init.router };
  }

  #pool(components: WarmPoolComponents, { warm }: NodeConfig, demand: () => Demand): WarmPool {
    const { without = [] } = this.#init;
    const limits = { ...this.#limits, poolSize: warmMost(this.#limits.poolSize, warm) };
    return new WarmPool(components, { files: this.#runtime(), demand, limits, without });
  }

  /** A given runtime is looked at now; one of our own is built when a process is first wanted, and again if that failed. */
  #runtime(): () => Promise<RuntimeFiles> {
    const { runtime } = this.#init;
    if (runtime === undefined) return async () => await runtimeFiles(this.#paths.runtime);
    const files = prebuiltRuntime(runtime);
    return async () => files;
  }
}

interface Parts {
  readonly config: NodeConfig;
  readonly layers: readonly Layer[];
  readonly identity: Identity;
  readonly log: Logger;
  readonly database: Database.Database;
  readonly metrics: Metrics;
  readonly stack: AsyncDisposableStack;
}

/** @returns where the metrics are, where the configuration asks for them. */
async function measure(
  { config, log, metrics, stack }: Parts,
  limits: NodeLimits,
  sources: Omit<MetricsSources, 'version'>,
): Promise<Address | undefined> {
  if (config.metrics === undefined) return undefined;
  const { host, port } = config.metrics;
  metrics.observe({ ...sources, version: packageJson.version });
  const init = { connections: limits.metricsConnections, patienceMs: limits.metricsMs };
  const listening = { metrics, log, listen: async (on: Server) => await listen(on, { host, port }, log) };
  return { ...(await stack.use(new MetricsServer(listening, init)).start()), host };
}

/** Without those of one that was killed. */
async function ownProcesses({ database, log }: Parts): Promise<ProcessStore> {
  const processes = new ProcessStore(database);
  const leftovers = await processes.killLeftovers();
  if (leftovers > 0) log.warn({ leftovers }, 'vessel processes of an earlier node manager were killed');
  return processes;
}

/** Found out while the node serves already; not waited for. */
function wallsOf(without: readonly OuterWall[], stack: AsyncDisposableStack): ReturnType<typeof detectWalls> {
  const walls = detectWalls(without).catch((error: unknown) => ({
    up: [],
    missing: [`not known: ${describeError(error)}`],
  }));
  stack.defer(async () => void (await walls));
  return walls;
}
