import { sql } from 'kysely';
import { DEFAULT_MIGRATION_TABLE, Migrator } from 'kysely/migration';
import { ServiceError } from '../errors.ts';
import { SITE_LIMITS } from '../limits.ts';
import type { Database } from './database.ts';
import { MIGRATIONS } from './migrations/all.ts';
import { isPostgres } from './postgres.ts';

/**
 * Brings the tables up to date, or makes them. Of several processes that do so at once one does it, the others wait.
 * @param to a migration to stop at; the newest unless given.
 * @throws ServiceError STATE_BROKEN, SITES_RUNNING
 */
export async function migrate(db: Database, to?: string): Promise<void> {
  if (to === undefined) await mustFit(db);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await (to === undefined ? migrator.migrateToLatest() : migrator.migrateTo(to));
  if (error !== undefined) {
    throw new ServiceError('STATE_BROKEN', 'expected a database of this or an older version, got another', {
      cause: error,
    });
  }
}

/** Two versions never work on one database at once, of which one has changed the tables under the other. */
async function mustFit(db: Database): Promise<void> {
  const { older, newer } = await pendingMigrations(db);
  if (newer.length > 0) {
    const message = `expected a database of this or an older version, got one that a newer version has brought up to date (${newer.join(', ')}): start that version, or restore a backup that this one has made`;
    throw new ServiceError('STATE_BROKEN', message);
  }
  // On SQLite there is one site, and its lock says whether it runs.
  if (older.length === 0 || older.includes('0012-sites') || !isPostgres(db)) return;
  const living = await db.selectFrom('sites').select('id').where('expires_at', '>', Date.now()).execute();
  if (living.length === 0) return;
  const message = `expected all sites to be stopped before this version changes the tables (${older.join(', ')}), got ${living.length} running: stop them; one that was killed counts as running for ${SITE_LIMITS.lifeMs / 1000} s`;
  throw new ServiceError('SITES_RUNNING', message);
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
