import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { GatewayAddress, KeyId } from '@potluck/protocol';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { Balancer } from './balancer.ts';
import type { PostgresServer } from './postgres.ts';
import { temporaryDirectory } from './site.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const CLEARINGHOUSE = join(ROOT, 'clearinghouse-web', 'bin', 'clearinghouse.ts');
const NODE_MANAGER = join(ROOT, 'nodemanager', 'bin', 'nodemanager.ts');

/** A process of ours, up when its first line has come. */
async function spawned(program: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.on('data', (data) => {
    words = `${words}${data}`.slice(-20_000);
  });
  const exit = once(child, 'exit').then(([code]) => {
    throw new TypeError(`expected ${program} to start, it ended with ${code}: ${words}`);
  });
  await Promise.race([once(createInterface(child.stdout), 'line'), exit]);
  exit.catch(() => undefined); // From here on it may end when it likes.
  return child;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

/** One of the site processes, with its backend. */
class SiteProcess {
  readonly state: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  /** Of its site and of its gateway; kept over restarts. */
  ports: readonly [number, number] = [0, 0];

  constructor(state: string, args: readonly string[]) {
    this.state = state;
    this.#args = args;
  }

  async start(): Promise<void> {
    const [port, gatewayPort] = this.ports;
    const at = ['run', '--state', this.state, '--port', String(port), '--gateway-port', String(gatewayPort)];
    this.#child = await spawned(CLEARINGHOUSE, [...at, ...this.#args]);
    if (port !== 0) return;
    const { listening } = JSON.parse(await readFile(join(this.state, 'address.json'), 'utf8'));
    this.ports = [listening.port, listening.gatewayPort];
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child !== undefined) await ended(this.#child, signal);
  }
}

/** Two site processes on one PostgreSQL, behind one address for people and one for nodes. */
export class Cluster implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly sites: readonly [SiteProcess, SiteProcess];
  readonly database: Database;
  readonly url: string;
  readonly #directory: string;

  private constructor(directory: string, { location, url, args }: { location: string; url: string; args: string[] }) {
    this.#directory = directory;
    this.url = url;
    this.database = openDatabase(location);
    const siteOf = (name: string): SiteProcess => new SiteProcess(join(directory, name), args);
    this.sites = [siteOf('first'), siteOf('second')];
  }

  static async start(server: PostgresServer): Promise<Cluster> {
    const directory = await temporaryDirectory();
    const [location, keys] = [await server.createDatabase(), await server.createDatabase()];
    const [people, nodes] = [await Balancer.start(), await Balancer.start()];
    const url = `http://127.0.0.1:${people.port}`;
    const databases = ['--database', location, '--keys-database', keys];
    const args = [...databases, '--public-url', url, '--public-gateway', `127.0.0.1:${nodes.port}`];
    const cluster = new Cluster(directory.path, { location, url, args });
    const stack = cluster.#stack;
    stack.use(directory);
    stack.use(people);
    stack.use(nodes);
    stack.defer(async () => await cluster.database.destroy());
    const [first, second] = cluster.sites;
    for (const site of cluster.sites) stack.defer(async () => await site.end('SIGTERM'));
    await first.start();
    // As the operator does: nodes know one gateway key.
    await mkdir(second.state, { mode: 0o700 });
    await copyFile(join(first.state, 'gateway.jwk'), join(second.state, 'gateway.jwk'));
    await second.start();
    people.targets = cluster.sites.map(({ ports }) => ports[0]);
    nodes.targets = cluster.sites.map(({ ports }) => ports[1]);
    return cluster;
  }

  /** As nodes know it. */
  async gateway(): Promise<GatewayAddress> {
    return JSON.parse(await readFile(join(this.sites[0].state, 'address.json'), 'utf8')).gateway;
  }

  /** A real node manager that only the gateway reaches, with one vessel. */
  async node(owner: KeyId, restrictions: string): Promise<void> {
    const state = join(this.#directory, 'node');
    await mkdir(state, { mode: 0o700 });
    const config = {
      listen: { host: '127.0.0.1', port: 0 },
      gateway: await this.gateway(),
      advertise: [],
      vessels: [{ owner, users: [], restrictions }],
    };
    await writeFile(join(state, 'nodemanager.json'), JSON.stringify(config), { mode: 0o600 });
    const child = await spawned(NODE_MANAGER, ['run', '--state', state]);
    this.#stack.defer(async () => await ended(child, 'SIGTERM'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
