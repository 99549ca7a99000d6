import { Kysely, type Transaction } from 'kysely';
import type { Tables } from './schema.ts';
import { sqliteDialect } from './sqlite.ts';

export type Database = Kysely<Tables>;
export type Trx = Transaction<Tables>;

/** Opens the main database. */
export function openDatabase(path: string): Database {
  return new Kysely<Tables>({ dialect: sqliteDialect(path) });
}

/**
 * The one way to write more than one statement: all of it or nothing, as if nobody else wrote at the same time. Where
 * the database finds that somebody did, all is done again, so that `work` must do nothing outside the database.
 */
export async function transact<T>(db: Database, work: (trx: Trx) => Promise<T>): Promise<T> {
  return await db.transaction().setIsolationLevel('serializable').execute(work);
}
