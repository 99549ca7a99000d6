import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Every way to a node in the place of its first address. */
export const reach: Migration = {
  async up(db: Kysely<Before>): Promise<void> {
    await db.schema
      .alterTable('nodes')
      .addColumn('reach', 'text', (c) => c.notNull().defaultTo('{"addresses":[],"relays":[]}'))
      .execute();
    await db.schema
      .alterTable('nodes')
      .addColumn('relayed', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    for (const { id, host, port } of await db.selectFrom('nodes').select(['id', 'host', 'port']).execute()) {
      const text = JSON.stringify({ addresses: [{ host, port }], relays: [] });
      await db.updateTable('nodes').set({ reach: text }).where('id', '=', id).execute();
    }
    await db.schema.alterTable('nodes').dropColumn('host').execute();
    await db.schema.alterTable('nodes').dropColumn('port').execute();
  },
};

/** The table of nodes as the migration to `reach` finds it. */
interface Before {
  nodes: { id: string; host: string; port: number; reach: string };
}
