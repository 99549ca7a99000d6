import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Of a vessel that was not handed over because its node is too far from a host: what the node measured. */
export const latency: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('tasks').addColumn('measured_ms', 'double precision').execute();
  },
};
