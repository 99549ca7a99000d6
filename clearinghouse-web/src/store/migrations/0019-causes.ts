import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Of a task that did not succeed: the code of its error, beside the sentence, so that they can be counted by cause. */
export const causes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('tasks').addColumn('cause', 'text').execute();
  },
};
