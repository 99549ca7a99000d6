import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { openDatabase } from '../src/store/database.ts';
import { migrate } from '../src/store/migrate.ts';
import { withSnapshot } from '../src/store/snapshot.ts';
import { Store } from '../src/store/store.ts';
import { forEachDatabase, type TestDatabase } from './support/databases.ts';

/** Opens the store, and acquires for nobody. */
const OPENER = join(import.meta.dirname, 'support', 'acquirer.ts');
const FIXTURES = join(import.meta.dirname, 'fixtures');
type Rows = Record<string, Record<string, unknown>[]>;

/** Databases as released versions left them, with rows in every table; never made again. */
const RELEASED = readdirSync(FIXTURES).sort();

forEachDatabase(
  (test) => {
    describe('a database of an older version', () => {
      for (const file of RELEASED) {
        it(`of ${file.replace('.sql', '')} is brought up to date, and keeps what it has`, async () => {
          const before = await load(test, file);
          await using store = await Store.open(test.location);
          const after = await rowsOf(test.location);
          for (const [table, rows] of Object.entries(before)) {
            assert.equal(after[table]?.length, rows.length, table);
            for (const row of rows)
              assert.ok(
                after[table]?.some((one) => contains(one, row)),
                `${table}: ${JSON.stringify(row)}`,
              );
          }
          assert.equal((await store.accounts.byUsername('ALICE'))?.id, 'a1');
          if ('nodes' in before) {
            const reach = { addresses: [{ host: '10.0.0.7', port: 1224 }], relays: [] };
            assert.deepEqual((await store.nodes.find('n1' as never))?.reach, reach);
          }
          assert.deepEqual(await shapeOf(test.location), await shapeOf(await fresh(test)));
        });
      }

      it('of a version that is not known yet is refused, and left as it is', async () => {
        await test.open();
        const db = test.connect();
        await sql`insert into kysely_migration (name, timestamp) values ('9999-later', '')`.execute(db);
        const before = await shapeOf(test.location);
        await assert.rejects(Store.open(test.location), {
          code: 'STATE_BROKEN',
          message: /newer version has brought up to date \(9999-later\): start that version/,
        });
        assert.deepEqual(await shapeOf(test.location), before);
      });

      it('is not brought up to date while sites of the older version work on it', async () => {
        if (test.kind === 'SQLite') return; // There a lock keeps others out.
        const db = test.connect();
        await migrate(db, '0015-indexes');
        const expiresAt = Date.now() + 60_000;
        await sql`insert into sites (started_at, expires_at) values (1, ${expiresAt})`.execute(db);
        await assert.rejects(Store.open(test.location), { code: 'SITES_RUNNING', message: /got 1 running: stop them/ });
        await sql`update sites set expires_at = ${Date.now()}`.execute(db);
        await (await Store.open(test.location))[Symbol.asyncDispose]();
      });

      it('is brought up to date once, however many processes open it at once', async () => {
        await load(test, RELEASED.at(-1) ?? '');
        const openers = Array.from({ length: 3 }, () => {
          const child = spawn(process.execPath, [OPENER, test.location], { stdio: ['pipe', 'pipe', 'inherit'] });
          return { child, ended: once(child, 'exit') };
        });
        for (const { child } of openers) child.stdin.end('go\n');
        for (const { child, ended } of openers) {
          child.stdout.resume();
          assert.deepEqual(await ended, [0, null]);
        }
        assert.deepEqual(await shapeOf(test.location), await shapeOf(await fresh(test)));
      });
    });
  },
  { empty: true },
);

/** Into SQLite as it was; PostgreSQL, on which no released version was, gets the same rows at the same migration. */
async function load(test: TestDatabase, file: string): Promise<Rows> {
  const text = readFileSync(join(FIXTURES, file), 'utf8');
  if (test.kind === 'SQLite') {
    const database = new SqliteDatabase(test.location);
    database.exec(text);
    database.close();
  } else {
    const db = openDatabase(test.location);
    await migrate(db, file.replace('.sql', ''));
    await sql.raw(text.slice(text.indexOf('-- Rows'))).execute(db);
    await db.destroy();
  }
  return await rowsOf(test.location);
}

async function fresh(test: TestDatabase): Promise<string> {
  const location = await test.another();
  await (await Store.open(location))[Symbol.asyncDispose]();
  return location;
}

async function rowsOf(location: string): Promise<Rows> {
  return await withSnapshot(location, async (snapshot) => {
    const all: Rows = {};
    for (const table of snapshot.tables) all[table.name] = await Array.fromAsync(snapshot.rows(table));
    return all;
  });
}

/** All that an older row said and that is still a column. */
function contains(row: Record<string, unknown>, older: Record<string, unknown>): boolean {
  return Object.entries(older).every(([column, value]) => !(column in row) || row[column] === value);
}

/** Tables, columns, and on SQLite indexes and triggers as well. */
async function shapeOf(location: string): Promise<unknown> {
  const db = openDatabase(location);
  try {
    const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
    const names = location.startsWith('postgres')
      ? sql`select indexdef as what from pg_indexes where schemaname = 'public' order by indexdef`
      : sql`select sql as what from sqlite_master where type in ('index', 'trigger') and sql is not null order by name`;
    return { tables, rest: (await names.execute(db)).rows };
  } finally {
    await db.destroy();
  }
}
