import { Migrator } from 'kysely/migration';
import { ServiceError } from '../errors.ts';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrations/all.ts';

/** @throws ServiceError STATE_BROKEN */
export async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    throw new ServiceError('STATE_BROKEN', 'expected a database of this or an older version, got another', {
      cause: error,
    });
  }
}
