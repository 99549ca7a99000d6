import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Of a task that waits for a host which an account has chosen: that account. */
export const askers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('tasks').addColumn('asker', 'text').execute();
  },
};
