import { type Kysely, PostgresAdapter, sql } from 'kysely';

/** Lets the database itself refuse to change or delete a row of this table, whoever asks. For migrations. */
export async function makeAppendOnly(db: Kysely<unknown>, table: string): Promise<void> {
  const isPostgres = db.getExecutor().adapter instanceof PostgresAdapter;
  await (isPostgres ? inPostgres(db, table) : inSqlite(db, table));
}

async function inSqlite(db: Kysely<unknown>, table: string): Promise<void> {
  const message = sql.lit(`${table} is append-only`);
  for (const change of ['update', 'delete']) {
    const name = sql.id(`${table}_no_${change}`);
    await sql`CREATE TRIGGER ${name} BEFORE ${sql.raw(change)} ON ${sql.table(table)}
      BEGIN SELECT RAISE(ABORT, ${message}); END`.execute(db);
  }
}

async function inPostgres(db: Kysely<unknown>, table: string): Promise<void> {
  const refuse = sql.id(`${table}_refuse`);
  const body = sql.lit(`BEGIN RAISE EXCEPTION '${table} is append-only'; END`);
  await sql`CREATE FUNCTION ${refuse}() RETURNS trigger LANGUAGE plpgsql AS ${body}`.execute(db);
  await sql`CREATE TRIGGER ${sql.id(`${table}_kept`)} BEFORE UPDATE OR DELETE OR TRUNCATE ON ${sql.table(table)}
    FOR EACH STATEMENT EXECUTE FUNCTION ${refuse}()`.execute(db);
}
