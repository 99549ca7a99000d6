import SqliteDatabase from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type DialectAdapter,
  type Driver,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
} from 'kysely';

/** A transaction that will write takes the write lock at once: a later upgrade could fail instead of waiting. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** Migrations run in one transaction: of several processes that begin one does them all, and a kill leaves none half. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Pages kept in memory, and statements kept prepared: an acquisition touches hundreds of either. */
const CACHE_KIB = 64 * 1024;
const STATEMENTS = 256;
/** Of the log before writing: a copy back into the file waits for the disk, so it is left to who is in no hurry. */
const LOG_PAGES = 10_000;

/** Prepares each statement once, as long as it is among those that were used last. */
class Prepared {
  readonly #database: SqliteDatabase.Database;
  readonly #statements = new Map<string, SqliteDatabase.Statement>();

  constructor(database: SqliteDatabase.Database) {
    this.#database = database;
  }

  prepare(text: string): SqliteDatabase.Statement {
    const statement = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.delete(text);
    // A map keeps the order of insertion: the first is the one that was not used for longest.
    const [oldest] = this.#statements.size >= STATEMENTS ? this.#statements.keys() : [];
    if (oldest !== undefined) this.#statements.delete(oldest);
    this.#statements.set(text, statement);
    return statement;
  }

  close(): void {
    this.#database.close();
  }
}

class ImmediateDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(database: SqliteDatabase.Database) {
    const config: SqliteDialectConfig = { database: new Prepared(database) };
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new ImmediateDriver(this.#config);
  }

  override createAdapter(): DialectAdapter {
    return new TransactionalAdapter();
  }
}

/**
 * What is special to SQLite, the embedded default.
 * @param options `durable`: what is committed outlives a loss of power, and not only a kill of the process.
 */
export function sqliteDialect(path: string, { durable = false } = {}): Dialect {
  const database = new SqliteDatabase(path, { timeout: 10_000 });
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
  database.pragma('foreign_keys = ON');
  database.pragma(`cache_size = -${CACHE_KIB}`);
  database.pragma(`wal_autocheckpoint = ${LOG_PAGES}`);
  return new ImmediateDialect(database);
}
