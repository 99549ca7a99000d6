import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { makeAppendOnly } from '../append-only.ts';

/** Who may administrate, who may do nothing any more, and what was done. */
export const administration: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('accounts')
      .addColumn('role', 'text', (c) => c.notNull().defaultTo('user'))
      .execute();
    await db.schema.alterTable('accounts').addColumn('banned_at', 'bigint').execute();
    await db.schema
      .createTable('audit')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('actor', 'text', (c) => c.notNull())
      .addColumn('action', 'text', (c) => c.notNull())
      .addColumn('subject', 'text', (c) => c.notNull())
      .addColumn('details', 'text', (c) => c.notNull())
      .execute();
    // Each ends in `id`, so that a page of a filtered list begins where the last one ended.
    await db.schema.createIndex('audit_actor').on('audit').columns(['actor', 'id']).execute();
    await db.schema.createIndex('audit_action').on('audit').columns(['action', 'id']).execute();
    await db.schema.createIndex('audit_subject').on('audit').columns(['subject', 'id']).execute();
    await makeAppendOnly(db, 'audit');
  },
};
