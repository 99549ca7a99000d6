import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Of an account that was deleted a row without a person stays: what refers to it stays true. */
export const closing: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('accounts').addColumn('closed_at', 'bigint').execute();
  },
};
