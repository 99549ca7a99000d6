import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Several site processes on one database: which of them live, and whose a node's connection is. */
export const sites: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('sites')
      .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('link_host', 'text')
      .addColumn('link_port', 'integer')
      .addColumn('started_at', 'bigint', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('gateway')
      .addColumn('id', 'integer', (c) => c.primaryKey().check(sql`id = 1`))
      .addColumn('key_id', 'text', (c) => c.notNull())
      .execute();
    await db.schema.alterTable('nodes').addColumn('site_id', 'bigint').execute();
    await sql`CREATE INDEX nodes_site ON nodes (site_id) WHERE site_id IS NOT NULL`.execute(db);
  },
};
