import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const vessels: Migration = {
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
