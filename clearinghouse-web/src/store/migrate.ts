import { sql } from 'kysely';
import { DEFAULT_MIGRATION_TABLE, Migrator } from 'kysely/migration';
import { ServiceError } from '../errors.ts';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrations/all.ts';

/**
 * Brings the tables up to date, or makes them. Of several processes that do so at once one does it, the others wait.
 * @param to a migration to stop at; the newest unless given.
 * @throws ServiceError STATE_BROKEN
 */
export async function migrate(db: Database, to?: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await (to === undefined ? migrator.migrateToLatest() : migrator.migrateTo(to));
  if (error !== undefined) {
    throw new ServiceError('STATE_BROKEN', 'expected a database of this or an older version, got another', {
      cause: error,
    });
  }
}

/** What a start would bring up to date, and what it would refuse because a newer version has made it. Changes nothing. */
export async function pendingMigrations(db: Database): Promise<{ older: string[]; newer: string[] }> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  const isThere = tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE);
  const { rows } = isThere
    ? await sql<{ name: string }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)} order by name`.execute(db)
    : { rows: [] };
  const done = rows.map(({ name }) => name);
  return {
    older: Object.keys(MIGRATIONS).filter((name) => !done.includes(name)),
    newer: done.filter((name) => !hasMigration(name)),
  };
}

/** Whether this version knows the migration. */
export function hasMigration(name: string): boolean {
  return Object.hasOwn(MIGRATIONS, name);
}
