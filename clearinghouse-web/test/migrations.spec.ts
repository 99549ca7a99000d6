import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity } from '@potluck/protocol';
import { sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { openDatabase } from '../src/store/database.ts';
import { MIGRATIONS } from '../src/store/migrations/all.ts';
import { Store } from '../src/store/store.ts';

describe('a database of an older version', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'potluck-migrations-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it('keeps its nodes, each with its one address, and offers those that were donated', async () => {
    const path = join(directory, 'clearinghouse.sqlite');
    const { id } = generateIdentity();
    const before = openDatabase(path);
    const migrator = new Migrator({ db: before, provider: { getMigrations: async () => MIGRATIONS } });
    assert.equal((await migrator.migrateTo('0005-programs')).error, undefined);
    await sql`INSERT INTO accounts (id, username, username_key, password, public_x, key_id, donor_token, created_at)
      VALUES ('donor', 'donor', 'donor', 'none', 'x', 'k', 't', 0)`.execute(before);
    await sql`INSERT INTO nodes
      (id, host, port, advertisement, advertised_at, advertised_until, connected, first_seen, last_seen)
      VALUES (${id}, '10.0.0.7', 1224, 'signed', 0, 0, 0, 0, 0)`.execute(before);
    await sql`INSERT INTO vessels (node_id, name, owner, restrictions, state, account_id, expires_at)
      VALUES (${id}, 'v1', ${id}, '', 'leased', 'donor', 1)`.execute(before);
    await sql`INSERT INTO donations (node_id, account_id, created_at) VALUES (${id}, 'donor', 0)`.execute(before);
    await before.destroy();
    await using store = await Store.open(path);
    assert.deepEqual((await store.nodes.find(id))?.reach, {
      addresses: [{ host: '10.0.0.7', port: 1224 }],
      relays: [],
    });
    const db = openDatabase(path);
    const node = await db.selectFrom('nodes').select(['life', 'draining']).executeTakeFirst();
    await db.destroy();
    assert.deepEqual(node, { life: 'offered', draining: 0 });
    assert.equal((await store.accounts.byId('donor'))?.role, 'user');
    assert.deepEqual(await store.leases.credits('donor'), { total: 10, used: 1 });
    const { entries } = await store.ledger.statement('donor', { limit: 10 });
    assert.deepEqual(
      entries.map(({ why, amount, balance, subject }) => [why, amount, balance, subject]),
      [
        ['acquire', -1, 9, `${id}:v1`],
        ['registration', 10, 10, null],
      ],
    );
  });
});
