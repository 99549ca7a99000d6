import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, identityFrom, saveIdentity } from '@potluck/protocol';
import { type Kysely, sql } from 'kysely';
import { DonorKeys } from '../backend/keys.ts';
import { ServiceError } from '../errors.ts';
import { BACKUP_LIMITS } from '../limits.ts';
import { takeLock } from '../lock.ts';
import { statePaths } from '../paths.ts';
import { openDatabase, openKysely } from '../store/database.ts';
import { hasMigration, migrate } from '../store/migrate.ts';
import { faultOf, isPostgresUrl, PATIENT, withoutPasswords } from '../store/postgres.ts';
import { type AnyTables, type TableShape, tablesOf } from '../store/snapshot.ts';
import { makeSafe } from './afterwards.ts';
import { type Header, type Line, readArchive } from './archive.ts';
import type { BackupPlace } from './save.ts';

export interface RestoreInit extends BackupPlace {
  readonly file: string;
  /** Puts what is in the state directory aside. */
  readonly replace?: boolean;
  /** The clearinghouse was stopped before the backup and has not run since: leases and sessions go on. */
  readonly moved?: boolean;
}

export interface Restored {
  readonly madeAt: number;
  readonly rows: number;
  /** Where what was in the state directory is now. */
  readonly aside?: string;
}

/**
 * Makes a clearinghouse from a backup, on SQLite or PostgreSQL, whichever it was made from. Nothing is changed unless the
 * whole backup was good.
 * @throws ServiceError BACKUP_REFUSED, NOT_EMPTY, ALREADY_RUNNING, DATABASE_AWAY, DATABASE_REFUSED
 */
export async function restore(init: RestoreInit): Promise<Restored> {
  const { state, file, database, keysDatabase } = init;
  const { header, rows } = await checked(init);
  const paths = statePaths(state);
  using _site = takeLock(paths.lock);
  using _backend = takeLock(paths.backendLock);
  const occupied = occupiedBy(state);
  if (occupied.length > 0 && init.replace !== true) {
    throw new ServiceError('NOT_EMPTY', `expected an empty state directory at ${state}, got ${occupied.join(', ')}`);
  }
  const fresh = mkdtempSync(join(state, 'restoring-'));
  try {
    const main = database ?? join(fresh, 'clearinghouse.sqlite');
    const keys = keysDatabase ?? join(fresh, 'keys.sqlite');
    await fill({ main, keys }, { file, header, keep: init.moved === true });
    await saveIdentity(join(fresh, 'gateway.jwk'), identityFrom(header.gatewayKey));
    if (database === undefined) chmodSync(main, 0o600);
    const aside = occupied.length > 0 ? putAside(state, occupied) : undefined;
    if (database === undefined) renameSync(main, paths.database);
    if (keysDatabase === undefined) renameSync(keys, paths.backendKeys);
    renameSync(join(fresh, 'gateway.jwk'), paths.gatewayKey);
    return { madeAt: header.madeAt, rows, ...(aside !== undefined && { aside }) };
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

/** Reads all of it once before anything is made of it. */
async function checked({ file, moved }: RestoreInit): Promise<{ header: Header; rows: number }> {
  let header: Header | undefined;
  let rows = 0;
  for await (const line of readArchive(file)) {
    if ('format' in line) header = line;
    if (Array.isArray(line)) rows += 1;
  }
  if (header === undefined) throw refused(`a backup in ${file}, got nothing`);
  if (!hasMigration(header.schema)) {
    throw refused(
      `a backup of this or an older version, got one with "${header.schema}": use the version that made it`,
    );
  }
  if (moved === true && !header.stopped) {
    throw refused('a backup of a stopped clearinghouse on SQLite for --moved, got one that was made while it ran');
  }
  return { header, rows };
}

interface Locations {
  readonly main: string;
  readonly keys: string;
}

interface Source {
  readonly file: string;
  readonly header: Header;
  readonly keep: boolean;
}

async function fill({ main, keys }: Locations, { file, header, keep }: Source): Promise<void> {
  await inDatabase(main, async () => {
    const db = openDatabase(main, { waits: PATIENT });
    try {
      await mustBeEmpty(main);
      await migrate(db, header.schema);
      await copyInto(main, linesFor('main', file));
      await migrate(db);
      if (!keep) await makeSafe(db);
    } finally {
      await db.destroy();
    }
  });
  await inDatabase(keys, async () => {
    await mustBeEmpty(keys);
    await (await DonorKeys.open(keys))[Symbol.asyncDispose]();
    await copyInto(keys, linesFor('keys', file));
  });
}

async function* linesFor(database: 'main' | 'keys', file: string): AsyncGenerator<Line> {
  let isOurs = false;
  for await (const line of readArchive(file)) {
    if ('format' in line) continue;
    if ('table' in line) isOurs = line.database === database;
    if (isOurs) yield line;
  }
}

/** All rows, in one transaction. */
async function copyInto(location: string, lines: AsyncIterable<Line>): Promise<void> {
  const isPostgres = isPostgresUrl(location);
  const db = openKysely<AnyTables>(location, { waits: PATIENT });
  try {
    const shapes = new Map((await tablesOf(db, isPostgres)).map((shape) => [shape.name, shape]));
    await db.transaction().execute(async (trx) => {
      for (const { name } of [...shapes.values()].toReversed()) await empty(trx, name);
      await insertAll(trx, shapes, lines);
      if (isPostgres) await continueNumbers(trx);
    });
  } finally {
    await db.destroy();
  }
}

/** What migrations have written of themselves. A table that may only grow refuses this, and has nothing either. */
async function empty(trx: Kysely<AnyTables>, table: string): Promise<void> {
  const row = await trx.selectFrom(table).select(sql.lit(1).as('one')).limit(1).executeTakeFirst();
  if (row !== undefined) await trx.deleteFrom(table).execute();
}

async function insertAll(
  trx: Kysely<AnyTables>,
  shapes: ReadonlyMap<string, TableShape>,
  lines: AsyncIterable<Line>,
): Promise<void> {
  let [table, columns]: [string, readonly string[]] = ['', []];
  let batch: AnyTables[string][] = [];
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await trx.insertInto(table).values(batch).execute();
    batch = [];
  };
  for await (const line of lines) {
    if (Array.isArray(line)) {
      if (line.length !== columns.length)
        throw refused(`rows of ${columns.length} values of ${table}, got ${line.length}`);
      batch.push(Object.fromEntries(columns.map((column, index) => [column, line[index] ?? null])));
      if (batch.length * columns.length > BACKUP_LIMITS.valuesPerStatement - columns.length) await flush();
    } else if ('table' in line) {
      await flush();
      ({ table, columns } = line);
      const known = shapes.get(table)?.columns ?? [];
      const strange = columns.find((column) => !known.includes(column));
      if (strange !== undefined) throw refused(`only tables and columns of its version, got ${table}.${strange}`);
    }
  }
  await flush();
}

/** The next number that PostgreSQL gives is above all that were restored. */
async function continueNumbers(trx: Kysely<AnyTables>): Promise<void> {
  const { rows } = await sql<{ table: string; column: string }>`
    select c.relname as table, a.attname as column from pg_attribute a join pg_class c on c.oid = a.attrelid
    where a.attidentity <> '' and c.relnamespace = current_schema()::regnamespace`.execute(trx);
  for (const { table, column } of rows) {
    await sql`select setval(pg_get_serial_sequence(${table}, ${column}),
      (select coalesce(max(${sql.ref(column)}), 0) + 1 from ${sql.table(table)}), false)`.execute(trx);
  }
}

async function mustBeEmpty(location: string): Promise<void> {
  const db = openKysely<AnyTables>(location);
  try {
    const [table] = await db.introspection.getTables({ withInternalKyselyTables: true });
    if (table === undefined) return;
    const message = `expected an empty database at ${withoutPasswords(location)}, got one with a table "${table.name}": make a new one with createdb`;
    throw new ServiceError('NOT_EMPTY', message);
  } finally {
    await db.destroy();
  }
}

async function inDatabase(location: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof ServiceError && error.code !== 'STATE_BROKEN') throw error;
    throw faultOf(location, error) ?? refused(`rows that fit together, got: ${describeError(error)}`, error);
  }
}

/** What a clearinghouse has left in its state directory; locks are everybody's. */
function occupiedBy(state: string): string[] {
  const own = ['clearinghouse.sqlite', 'clearinghouse.sqlite-wal', 'clearinghouse.sqlite-shm', 'gateway.jwk'];
  const keys = ['keys.sqlite', 'keys.sqlite-wal', 'keys.sqlite-shm', 'name'].map((name) => join('backend', name));
  return [...own, ...keys].filter((name) => existsSync(join(state, name)));
}

function putAside(state: string, names: readonly string[]): string {
  const number = readdirSync(state).filter((name) => name.startsWith('before-restore-')).length + 1;
  const aside = join(state, `before-restore-${number}`);
  mkdirSync(join(aside, 'backend'), { recursive: true, mode: 0o700 });
  chmodSync(aside, 0o700);
  for (const name of names) renameSync(join(state, name), join(aside, name));
  return aside;
}

function refused(expectation: string, cause?: unknown): ServiceError {
  return new ServiceError('BACKUP_REFUSED', `expected ${expectation}`, { cause });
}
