import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const nodes: Migration = {
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
