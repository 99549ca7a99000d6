import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

export const programs: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.createIndex('accounts_key').on('accounts').column('key_id').execute();
    await db.schema
      .createTable('nonces')
      .addColumn('key_id', 'text', (c) => c.notNull())
      .addColumn('nonce', 'text', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('nonces_pk', ['key_id', 'nonce'])
      .execute();
    await db.schema.createIndex('nonces_expiry').on('nonces').column('expires_at').execute();
    await db.schema
      .createTable('acquisitions')
      .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id').onDelete('cascade'))
      .addColumn('key', 'text', (c) => c.notNull())
      .addColumn('attempt', 'text', (c) => c.notNull().unique())
      .addColumn('count', 'integer', (c) => c.notNull())
      .addColumn('type', 'text', (c) => c.notNull())
      .addColumn('done', 'integer', (c) => c.notNull())
      .addColumn('expires_at', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('acquisitions_pk', ['account_id', 'key'])
      .execute();
    await db.schema.createIndex('acquisitions_expiry').on('acquisitions').column('expires_at').execute();
  },
};
