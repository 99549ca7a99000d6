import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Store } from '../../clearinghouse-web/src/store/store.ts';
import { Api } from '../../clearinghouse-web/test/support/api.ts';
import { Peer } from '../../clearinghouse-web/test/support/peer.ts';
import { PostgresServer } from '../../clearinghouse-web/test/support/postgres.ts';
import { BenchError } from '../src/errors.ts';
import { pssMiB } from '../src/pss.ts';
import { median, type Result, type Row } from '../src/row.ts';
import { donorKeyOf, end, type Site, startSite } from '../src/site.ts';

const NODES = fileURLToPath(new URL('../plain/gateway-nodes.ts', import.meta.url));
const PEERS = 20;
const COUNT = 10;
const USER = 'bench_user';
const LOOK_MS = 50;
const CHECKS = 3000;

export interface GatewayInit {
  readonly nodes: number;
  /** Acquisitions before and under the load. */
  readonly rounds: number;
  readonly database: 'SQLite' | 'PostgreSQL';
}

/** Nodes that answer, each with one vessel. @returns the account that acquires them, logged in. */
async function offer(stack: AsyncDisposableStack, database: string, { url, gateway }: Site): Promise<Api> {
  const api = new Api(url);
  await api.join(USER);
  await using store = await Store.open(database);
  const owner = await donorKeyOf(store, USER);
  for (let index = 0; index < PEERS; index++) {
    const peer = stack.use(await new Peer(owner, 1, { host: `127.2.0.${index + 1}` }).listen());
    peer.stay(gateway);
  }
  while ((await store.nodes.counts()).free < PEERS) await delay(LOOK_MS);
  return api;
}

/** Acquires and gives back. @returns the milliseconds of each acquisition. */
async function acquisitions(api: Api, rounds: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < rounds) {
    const began = performance.now();
    const { status, body } = await api.post('/vessels/acquire', { count: COUNT, type: 'random' });
    if (body.code === 'UNABLE_TO_ACQUIRE') {
      await delay(LOOK_MS); // Those of the last round are still being emptied.
      continue;
    }
    if (status >= 300) throw new BenchError('NO_FIGURE', `expected vessels, got ${body.detail}`);
    times.push(performance.now() - began);
    await api.post('/vessels/release', { all: true });
  }
  return times;
}

/** What one core can check of nothing but signatures. */
function checksPerSecond(): number {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const message = Buffer.alloc(256);
  const signature = sign(null, message, privateKey);
  const began = performance.now();
  for (let n = 0; n < CHECKS; n++) verify(null, message, publicKey, signature);
  return (CHECKS * 1000) / (performance.now() - began);
}

async function databaseOf(stack: AsyncDisposableStack, kind: GatewayInit['database'], state: string): Promise<string> {
  if (kind === 'SQLite') return join(state, 'clearinghouse.sqlite');
  const server = await PostgresServer.start();
  if (server === undefined) throw new BenchError('NO_FIGURE', 'expected a PostgreSQL to measure on, none can be had');
  return await stack.use(server).createDatabase();
}

export async function measureGateway({ nodes, rounds, database }: GatewayInit): Promise<Result[]> {
  await using stack = new AsyncDisposableStack();
  const state = await mkdtemp(join(tmpdir(), 'potluck-bench-gateway-'));
  stack.defer(() => rm(state, { recursive: true, force: true }));
  const location = await databaseOf(stack, database, state);
  const site = await startSite(stack, state, database === 'SQLite' ? [] : ['--database', location]);
  const api = await offer(stack, location, site);
  const before = await acquisitions(api, rounds);
  const alone = await pssMiB(site.pid);
  const child = spawn(process.execPath, [NODES, JSON.stringify(site.gateway), String(nodes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(async () => await end(child, 'SIGKILL'));
  const figures = createInterface(child.stdout)[Symbol.asyncIterator]();
  const dials = Number((await figures.next()).value);
  const loaded = await pssMiB(site.pid);
  const heartbeats = Number((await figures.next()).value);
  const under = await acquisitions(api, rounds);
  const all = `${nodes.toLocaleString('en')} nodes, ${database}`;
  const rate = { unit: '1/s', better: 'more', floor: checksPerSecond() } as const;
  const beside = 'the simulated nodes beside the site / signatures that one core checks';
  return [
    {
      ...{ row: `${all}: memory of one`, unit: 'KiB', better: 'less' },
      ...{ potluck: ((loaded - alone) * 1024) / nodes, floor: (alone * 1024) / nodes },
      counted:
        'PSS of the site with them less that without, over wss with their keys proved / the site without, shared among them',
    },
    { ...{ row: `${all}: dialled in`, potluck: dials }, ...rate, counted: `TLS 1.3 with both certificates; ${beside}` },
    { ...{ row: `${all}: heartbeats`, potluck: heartbeats }, ...rate, counted: `advertisements taken; ${beside}` },
    {
      ...{ row: `${all}: acquire ${COUNT}`, unit: 'ms', better: 'less' },
      ...{ potluck: median(under), floor: median(before) },
      counted: `POST /vessels/acquire, ${COUNT} nodes that answer are asked / the same without the others; median of ${rounds}`,
    },
  ];
}

const ALL = { nodes: 10_000, rounds: 20 };

/** A row for each database: either takes minutes. */
export const gateways: readonly Row[] = [
  { name: 'gateway', onlyNamed: true, run: async () => await measureGateway({ ...ALL, database: 'SQLite' }) },
  {
    name: 'gateway-postgres',
    onlyNamed: true,
    run: async () => await measureGateway({ ...ALL, database: 'PostgreSQL' }),
  },
];
