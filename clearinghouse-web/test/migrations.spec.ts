import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity } from '@potluck/protocol';
import SqliteDatabase from 'better-sqlite3';
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

  it('keeps its nodes, each with its one address', async () => {
    const path = join(directory, 'clearinghouse.sqlite');
    const { id } = generateIdentity();
    const db = openDatabase(path);
    await new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } }).migrateTo('0005-programs');
    await db.destroy();
    const before = new SqliteDatabase(path);
    before.exec(`
      INSERT INTO nodes (id, host, port, advertisement, advertised_at, advertised_until, connected, first_seen, last_seen)
        VALUES ('${id}', '10.0.0.7', 1224, 'signed', 0, 0, 0, 0, 0);
    `);
    before.close();
    await using store = await Store.open(path);
    assert.deepEqual((await store.nodes.find(id))?.reach, {
      addresses: [{ host: '10.0.0.7', port: 1224 }],
      relays: [],
    });
  });
});
