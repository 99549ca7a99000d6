import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** What donors have given day by day, and how the whole was every few minutes. */
export const history: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('contributions')
      .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('node_id', 'text', (c) => c.notNull())
      .addColumn('day', 'bigint', (c) => c.notNull())
      .addColumn('online_ms', 'bigint', (c) => c.notNull())
      .addColumn('lent_ms', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('contributions_pk', ['account_id', 'node_id', 'day'])
      .execute();
    await db.schema.createIndex('contributions_day').on('contributions').column('day').execute();
    await db.schema
      .createTable('pulses')
      .addColumn('at', 'bigint', (c) => c.primaryKey())
      .addColumn('nodes', 'integer', (c) => c.notNull())
      .addColumn('vessels', 'integer', (c) => c.notNull())
      .addColumn('free', 'integer', (c) => c.notNull())
      .addColumn('backend', 'integer', (c) => c.notNull())
      .execute();
  },
};
