import { Migrator } from 'kysely/migration';
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

/** Whether this version knows the migration. */
export function hasMigration(name: string): boolean {
  return Object.hasOwn(MIGRATIONS, name);
}
