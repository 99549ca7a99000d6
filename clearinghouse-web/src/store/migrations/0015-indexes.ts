import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** For what is asked with each event of a node: whether its task waits already, and which nodes are drained. */
export const indexes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`CREATE INDEX tasks_waiting_subject ON tasks (subject, kind) WHERE state = 'waiting'`.execute(db);
    await sql`CREATE INDEX nodes_draining ON nodes (id) WHERE draining = 1`.execute(db);
  },
};
