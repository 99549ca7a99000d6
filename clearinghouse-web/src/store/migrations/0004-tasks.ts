import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

export const tasks: Migration = {
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
