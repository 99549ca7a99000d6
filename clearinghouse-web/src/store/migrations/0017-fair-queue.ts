import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Whose turn it is in the queue, which nodes keep it waiting, and which database has the donors' keys. */
export const fairQueue: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('tasks')
      .addColumn('urgency', 'integer', (c) => c.notNull().defaultTo(2))
      .execute();
    await db.schema.alterTable('tasks').addColumn('giver', 'text').execute();
    await sql`CREATE INDEX tasks_waiting_urgency ON tasks (urgency, run_at) WHERE state = 'waiting'`.execute(db);
    for (const name of ['misses', 'rests_until', 'looks_until']) {
      await db.schema
        .alterTable('nodes')
        .addColumn(name, 'bigint', (c) => c.notNull().defaultTo(0))
        .execute();
    }
    await db.schema.alterTable('gateway').addColumn('keys_id', 'text').execute();
  },
};
