import { setTimeout as delay } from 'node:timers/promises';
import { HandleEmptyInListsPlugin, Kysely, replaceWithNoncontingentExpression, type Transaction } from 'kysely';
import { ServiceError } from '../errors.ts';
import { DATABASE_LIMITS } from '../limits.ts';
import { isConflict, isPostgres, isPostgresUrl, type PostgresInit, postgresDialect, takeTurn } from './postgres.ts';
import type { Tables } from './schema.ts';
import { sqliteDialect } from './sqlite.ts';

export type Database = Kysely<Tables>;
export type Trx = Transaction<Tables>;

/** A statement has ended. */
export type OnStatement = (kind: StatementKind, ms: number) => void;
export type StatementKind = 'select' | 'insert' | 'update' | 'delete' | 'other';

/** Opens the main database. @param location a file of SQLite, or `postgres://...` */
export function openDatabase(location: string, options: OpenOptions = {}): Database {
  return openKysely<Tables>(location, options);
}

export interface OpenOptions extends PostgresInit {
  /** On SQLite: what was written outlives the machine's power. */
  readonly durable?: boolean;
  readonly onStatement?: OnStatement | undefined;
}

/** As `openDatabase`, for other tables. */
export function openKysely<T>(location: string, { onStatement, ...options }: OpenOptions = {}): Kysely<T> {
  return new Kysely<T>({
    ...(onStatement !== undefined && {
      log: ({ query, queryDurationMillis }) => onStatement(kindOf(query.query.kind), queryDurationMillis),
    }),
    dialect: isPostgresUrl(location) ? postgresDialect(location, options) : sqliteDialect(location, options),
    // `in ()` is no SQL: in an empty list is nothing.
    plugins: [new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression })],
  });
}

/**
 * The one way to write more than one statement: all of it or nothing, as if nobody else wrote at the same time. Where
 * the database finds that somebody did, all is done again, so that `work` must do nothing outside the database.
 * @throws ServiceError DATABASE_BUSY: others came first each time
 */
export async function transact<T>(db: Database, work: (trx: Trx) => Promise<T>): Promise<T> {
  if (!isPostgres(db)) return await db.transaction().execute(work);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db
        .transaction()
        .setIsolationLevel('serializable')
        .execute(async (trx) => {
          await takeTurn(trx, attempt > DATABASE_LIMITS.attemptsBesideOthers);
          return await work(trx);
        });
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (attempt >= DATABASE_LIMITS.attempts) throw busy(error);
      await delay(Math.random() * DATABASE_LIMITS.conflictWaitMs * attempt);
    }
  }
}

/** `SelectQueryNode` and the like are how the library names them. */
function kindOf(node: string): StatementKind {
  const [, kind] = /^(Select|Insert|Update|Delete)QueryNode$/.exec(node) ?? [];
  return kind === undefined ? 'other' : (kind.toLowerCase() as StatementKind);
}

function busy(cause: unknown): ServiceError {
  const message = `expected a transaction to succeed within ${DATABASE_LIMITS.attempts} attempts, others changed its data each time`;
  return new ServiceError('DATABASE_BUSY', message, { cause });
}
