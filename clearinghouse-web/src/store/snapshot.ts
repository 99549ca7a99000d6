import SqliteDatabase from 'better-sqlite3';
import { Kysely, SqliteDialect, sql, type Transaction } from 'kysely';
import { isPostgresUrl, postgresDialect } from './postgres.ts';

/** Rows fetched at once from PostgreSQL. */
const FETCH = 1000;

export type Value = string | number | null;
/** Any tables, known by name only: a backup has what is there, whichever version made it. */
export type AnyTables = Record<string, Record<string, Value>>;

export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
}

/** A database as it was at one moment, whatever is written meanwhile. */
export interface Snapshot {
  /** The newest migration that it has had; none in a database that is not the main one. */
  readonly schema: string | undefined;
  /** A table comes after those that it refers to. */
  readonly tables: readonly TableShape[];
  rows(table: TableShape): AsyncIterable<Record<string, Value>>;
}

/** Reads a database without holding up those who write. @param location a file of SQLite, or `postgres://...` */
export async function withSnapshot<T>(location: string, read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const isPostgres = isPostgresUrl(location);
  const dialect = isPostgres
    ? postgresDialect(location)
    : new SqliteDialect({ database: new SqliteDatabase(location, { readonly: true, fileMustExist: true }) });
  const db = new Kysely<AnyTables>({ dialect });
  try {
    return await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (trx) => {
        const tables = await tablesOf(trx, isPostgres);
        const rows = (table: TableShape) => (isPostgres ? fetched(trx, table) : streamed(trx, table));
        return await read({ schema: await schemaOf(trx), tables, rows });
      });
  } finally {
    await db.destroy();
  }
}

/** All tables but Kysely's own, each after those that it refers to. */
export async function tablesOf(db: Kysely<AnyTables>, isPostgres: boolean): Promise<TableShape[]> {
  const found = (await db.introspection.getTables()).filter(({ isView, schema }) => {
    return !isView && (!isPostgres || schema === 'public');
  });
  const references = isPostgres ? REFERENCES_IN_POSTGRES : REFERENCES_IN_SQLITE;
  const { rows } = await references.execute(db);
  const left = new Map(found.map(({ name, columns }) => [name, { name, columns: columns.map((c) => c.name) }]));
  const ordered: TableShape[] = [];
  while (left.size > 0) {
    const waits = (name: string) =>
      rows.some(({ child, parent }) => child === name && parent !== name && left.has(parent));
    // Tables that refer to each other in a circle would come as they are.
    const next = [...left.values()].find(({ name }) => !waits(name)) ?? [...left.values()][0];
    if (next === undefined) break;
    ordered.push(next);
    left.delete(next.name);
  }
  return ordered;
}

const REFERENCES_IN_SQLITE = sql<{ child: string; parent: string }>`
  select m.name as child, f."table" as parent from sqlite_master m, pragma_foreign_key_list(m.name) f
  where m.type = 'table'`;

const REFERENCES_IN_POSTGRES = sql<{ child: string; parent: string }>`
  select c.relname as child, p.relname as parent from pg_constraint k
  join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid where k.contype = 'f'`;

async function schemaOf(db: Kysely<AnyTables>): Promise<string | undefined> {
  const all = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!all.some(({ name }) => name === 'kysely_migration')) return undefined;
  const row = await db.selectFrom('kysely_migration').select('name').orderBy('name', 'desc').executeTakeFirst();
  return row === undefined ? undefined : String(row.name);
}

async function* streamed(trx: Transaction<AnyTables>, { name }: TableShape) {
  yield* trx.selectFrom(name).selectAll().stream();
}

async function* fetched(trx: Transaction<AnyTables>, { name }: TableShape) {
  await sql`declare potluck_rows no scroll cursor for select * from ${sql.table(name)}`.execute(trx);
  for (;;) {
    const { rows } = await sql<Record<string, Value>>`fetch ${sql.lit(FETCH)} from potluck_rows`.execute(trx);
    if (rows.length === 0) break;
    yield* rows;
  }
  await sql`close potluck_rows`.execute(trx);
}
