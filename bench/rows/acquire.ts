import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity } from '@potluck/protocol';
import { sql } from 'kysely';
import type { Account } from '../../clearinghouse-web/src/store/accounts.ts';
import { type Database, openDatabase } from '../../clearinghouse-web/src/store/database.ts';
import { Store } from '../../clearinghouse-web/src/store/store.ts';
import { PostgresServer } from '../../clearinghouse-web/test/support/postgres.ts';
import { fillWithOffers, type OfferedInit } from '../src/offered.ts';
import { median, type Result, type Row } from '../src/row.ts';

const COUNT = 10;
const GOAL_MS = 20;

export interface AcquireInit extends OfferedInit {
  readonly rounds: number;
}

interface Times {
  readonly acquire: number[];
  readonly release: number[];
  readonly floor: number[];
}

async function newAccount(store: Store): Promise<Account> {
  const { publicJwk } = generateIdentity();
  return await store.accounts.create({
    username: 'bench',
    email: undefined,
    passwordHash: 'none',
    publicKey: publicJwk,
  });
}

/** The least that it takes: as many rows found by the same index and written in one transaction, by the same driver. */
async function bareRows(db: Database): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const from = Math.floor(Math.random() * 2 ** 52);
    const rows = await sql<{ node_id: string; name: string }>`SELECT node_id, name FROM vessels
      WHERE state = 'free' AND lot >= ${from} ORDER BY lot LIMIT ${COUNT}`.execute(trx);
    for (const { node_id, name } of rows.rows) {
      await sql`UPDATE vessels SET fence = fence + 1 WHERE node_id = ${node_id} AND name = ${name}`.execute(trx);
    }
  });
}

async function timesOn(location: string, { rounds, ...offered }: AcquireInit): Promise<Times> {
  await (await Store.open(location))[Symbol.asyncDispose]();
  await fillWithOffers(location, offered);
  await using store = await Store.open(location);
  await using db = openDatabase(location);
  const times: Times = { acquire: [], release: [], floor: [] };
  const account = await newAccount(store);
  for (let round = -1; round < rounds; round++) {
    const attempt = { id: randomUUID(), accountId: account.id };
    const began = performance.now();
    const got = await store.leases.reserve(attempt, COUNT);
    await store.leases.confirm(attempt, COUNT);
    const acquired = performance.now();
    await store.leases.release(account.id, got);
    const released = performance.now();
    await bareRows(db);
    if (round < 0) continue; // The first chooses the account's port.
    times.acquire.push(acquired - began);
    times.release.push(released - acquired);
    times.floor.push(performance.now() - released);
  }
  return times;
}

function p99(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
}

function resultsOf(database: string, times: Times, init: AcquireInit): Result[] {
  const free = (init.nodes * init.vesselsPerNode).toLocaleString('en');
  const counted = `in the store: chosen, reserved, confirmed, ledger and audit log / ${COUNT} rows found by the index and updated; of ${init.rounds}`;
  const common = { unit: 'ms', better: 'less', counted } as const;
  const goal = database === 'SQLite' ? { goal: { atMost: GOAL_MS } } : {};
  const row = `acquire ${COUNT} of ${free}, ${database}`;
  return [
    { row, potluck: median(times.acquire), floor: median(times.floor), ...common },
    { row: `${row}, p99`, potluck: p99(times.acquire), floor: p99(times.floor), ...common, ...goal },
    {
      row: `release of the ${COUNT}, ${database}, p99`,
      potluck: p99(times.release),
      floor: p99(times.floor),
      ...common,
    },
  ];
}

/** On SQLite, and on PostgreSQL where one can be had. */
export async function measureAcquire(init: AcquireInit): Promise<Result[]> {
  const directory = await mkdtemp(join(tmpdir(), 'potluck-bench-acquire-'));
  try {
    const results = resultsOf('SQLite', await timesOn(join(directory, 'site.sqlite'), init), init);
    await using server = await PostgresServer.start();
    if (server === undefined) return results;
    const location = await server.createDatabase();
    return [...results, ...resultsOf('PostgreSQL', await timesOn(location, init), init)];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export const acquire: Row = {
  name: 'acquire',
  run: async () => await measureAcquire({ nodes: 12_500, vesselsPerNode: 8, rounds: 400 }),
};
