import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { ServiceError } from '../errors.ts';
import type { Database } from './database.ts';

const accounts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('accounts')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('username', 'text', (c) => c.notNull())
      .addColumn('username_key', 'text', (c) => c.notNull().unique())
      .addColumn('email', 'text')
      .addColumn('password', 'text', (c) => c.notNull())
      .addColumn('public_x', 'text', (c) => c.notNull())
      .addColumn('key_id', 'text', (c) => c.notNull())
      .addColumn('user_port', 'integer')
      .addColumn('donor_key', 'text', (c) => c.unique())
      .addColumn('donor_token', 'text', (c) => c.notNull().unique())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('sessions')
      .addColumn('token_hash', 'text', (c) => c.primaryKey())
      .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute();
  },
};

const nodes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('nodes')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('host', 'text', (c) => c.notNull())
      .addColumn('port', 'integer', (c) => c.notNull())
      .addColumn('advertisement', 'text', (c) => c.notNull())
      .addColumn('advertised_at', 'bigint', (c) => c.notNull())
      .addColumn('advertised_until', 'bigint', (c) => c.notNull())
      .addColumn('connected', 'integer', (c) => c.notNull())
      .addColumn('first_seen', 'bigint', (c) => c.notNull())
      .addColumn('last_seen', 'bigint', (c) => c.notNull())
      .execute();
    await sql`CREATE INDEX nodes_away ON nodes (last_seen) WHERE connected = 0`.execute(db);
    await db.schema
      .createTable('node_keys')
      .addColumn('node_id', 'text', (c) => c.notNull().references('nodes.id').onDelete('cascade'))
      .addColumn('key_id', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('node_keys_pk', ['node_id', 'key_id'])
      .execute();
    await db.schema.createIndex('node_keys_key').on('node_keys').column('key_id').execute();
    await db.schema
      .createTable('donations')
      .addColumn('node_id', 'text', (c) => c.primaryKey().references('nodes.id').onDelete('cascade'))
      .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema.createIndex('donations_account').on('donations').column('account_id').execute();
  },
};

const vessels: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('vessels')
      .addColumn('node_id', 'text', (c) => c.notNull().references('nodes.id').onDelete('cascade'))
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('owner', 'text', (c) => c.notNull())
      .addColumn('restrictions', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('fence', 'bigint', (c) => c.notNull().defaultTo(0))
      .addColumn('account_id', 'text', (c) => c.references('accounts.id'))
      .addColumn('attempt', 'text')
      .addColumn('expires_at', 'bigint')
      .addPrimaryKeyConstraint('vessels_pk', ['node_id', 'name'])
      // Who is held has a holder and an end; who is not has neither. No half-leased vessel can be written.
      .addCheckConstraint(
        'vessels_held',
        sql`(state IN ('reserved', 'leased')) = (account_id IS NOT NULL AND expires_at IS NOT NULL)`,
      )
      .execute();
    await sql`CREATE INDEX vessels_free ON vessels (node_id, name) WHERE state = 'free'`.execute(db);
    await sql`CREATE INDEX vessels_held ON vessels (account_id) WHERE account_id IS NOT NULL`.execute(db);
    await sql`CREATE INDEX vessels_expiry ON vessels (expires_at) WHERE expires_at IS NOT NULL`.execute(db);
    await db.schema
      .createTable('vessel_ports')
      .addColumn('node_id', 'text', (c) => c.notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('port', 'integer', (c) => c.notNull())
      .addPrimaryKeyConstraint('vessel_ports_pk', ['node_id', 'name', 'port'])
      .addForeignKeyConstraint('vessel_ports_vessel', ['node_id', 'name'], 'vessels', ['node_id', 'name'], (c) =>
        c.onDelete('cascade'),
      )
      .execute();
    await db.schema.createIndex('vessel_ports_port').on('vessel_ports').column('port').execute();
  },
};

const tasks: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('tasks')
      .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('node_id', 'text')
      .addColumn('payload', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
      .addColumn('run_at', 'bigint', (c) => c.notNull())
      .addColumn('token', 'text')
      .addColumn('claimed_until', 'bigint')
      .addColumn('error', 'text')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('ended_at', 'bigint')
      .execute();
    await sql`CREATE INDEX tasks_waiting ON tasks (run_at) WHERE state = 'waiting'`.execute(db);
    await sql`CREATE INDEX tasks_waiting_node ON tasks (node_id) WHERE state = 'waiting'`.execute(db);
    await sql`CREATE UNIQUE INDEX tasks_claimed ON tasks (subject) WHERE state = 'claimed'`.execute(db);
    await sql`CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL`.execute(db);
  },
};

const programs: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.createIndex('accounts_key').on('accounts').column('key_id').execute();
    await db.schema
      .createTable('nonces')
      .addColumn('key_id', 'text', (c) => c.notNull())
      .addColumn('nonce', 'text', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('nonces_pk', ['key_id', 'nonce'])
      .execute();
    await db.schema.createIndex('nonces_expiry').on('nonces').column('expires_at').execute();
    await db.schema
      .createTable('acquisitions')
      .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('key', 'text', (c) => c.notNull())
      .addColumn('attempt', 'text', (c) => c.notNull().unique())
      .addColumn('count', 'integer', (c) => c.notNull())
      .addColumn('type', 'text', (c) => c.notNull())
      .addColumn('done', 'integer', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('acquisitions_pk', ['account_id', 'key'])
      .execute();
    await db.schema.createIndex('acquisitions_expiry').on('acquisitions').column('expires_at').execute();
  },
};

/** Every way to a node in the place of its first address. */
const reach: Migration = {
  async up(db: Kysely<Before>): Promise<void> {
    await db.schema
      .alterTable('nodes')
      .addColumn('reach', 'text', (c) => c.notNull().defaultTo('{"addresses":[],"relays":[]}'))
      .execute();
    await db.schema
      .alterTable('nodes')
      .addColumn('relayed', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    for (const { id, host, port } of await db.selectFrom('nodes').select(['id', 'host', 'port']).execute()) {
      const text = JSON.stringify({ addresses: [{ host, port }], relays: [] });
      await db.updateTable('nodes').set({ reach: text }).where('id', '=', id).execute();
    }
    await db.schema.alterTable('nodes').dropColumn('host').execute();
    await db.schema.alterTable('nodes').dropColumn('port').execute();
  },
};

/** The table of nodes as the migration to `reach` finds it. */
interface Before {
  nodes: { id: string; host: string; port: number; reach: string };
}

/** Oldest first; a released one is never edited, only followed by another. */
const MIGRATIONS: Record<string, Migration> = {
  '0001-accounts': accounts,
  '0002-nodes': nodes,
  '0003-vessels': vessels,
  '0004-tasks': tasks,
  '0005-programs': programs,
  '0006-reach': reach,
};

/** @throws ServiceError STATE_BROKEN */
export async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    throw new ServiceError('STATE_BROKEN', 'expected a database of this or an older version, got another', {
      cause: error,
    });
  }
}
