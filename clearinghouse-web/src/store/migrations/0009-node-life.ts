import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Where each node is in its life, what the operator wants of it, and what he has switched off. */
export const nodeLife: Migration = {
  async up(db: Kysely<Before>): Promise<void> {
    const table = (): ReturnType<typeof db.schema.alterTable> => db.schema.alterTable('nodes');
    await table().addColumn('life', 'text').execute();
    await table()
      .addColumn('life_since', 'bigint', (c) => c.notNull().defaultTo(0))
      .execute();
    await table().addColumn('life_reason', 'text').execute();
    await table()
      .addColumn('draining', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    await table()
      .addColumn('inspect_at', 'bigint', (c) => c.notNull().defaultTo(0))
      .execute();
    // What had been taken in until now was offered.
    const donated = db.selectFrom('donations').select('node_id');
    await db.updateTable('nodes').set({ life: 'offered', life_since: Date.now() }).where('id', 'in', donated).execute();
    await sql`CREATE INDEX nodes_life ON nodes (life, id) WHERE life IS NOT NULL`.execute(db);
    await sql`CREATE INDEX nodes_inspect ON nodes (inspect_at) WHERE life IS NOT NULL AND connected = 1`.execute(db);
    await db.schema
      .createTable('switches')
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('since', 'bigint', (c) => c.notNull())
      .addColumn('actor', 'text', (c) => c.notNull())
      .addColumn('reason', 'text', (c) => c.notNull())
      .execute();
  },
};

/** The tables as this migration finds and leaves them. */
interface Before {
  nodes: { id: string; life: string | null; life_since: number };
  donations: { node_id: string };
}
