import { randomUUID } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { generateIdentity, type Identity, identityFrom, type KeyId, privateJwkSchema } from '@potluck/protocol';
import type { Kysely } from 'kysely';
import { openKysely } from '../store/database.ts';
import { faultOf, isPostgresUrl } from '../store/postgres.ts';

export interface KeyTables {
  /** One row: by which this database is told from any other, wherever it is copied to. */
  keys_identity: { id: number; name: string };
  donor_keys: { account: string; key: KeyId; jwk: string };
}

/**
 * The private keys that own donated vessels: in a database of the backends' own, which the main database and its user
 * know nothing of.
 */
export class DonorKeys implements AsyncDisposable {
  readonly #db: Kysely<KeyTables>;

  private constructor(db: Kysely<KeyTables>) {
    this.#db = db;
  }

  /**
   * @param location a file of SQLite, or `postgres://...` for the backends of several machines.
   * @throws ServiceError DATABASE_AWAY, DATABASE_REFUSED
   */
  static async open(location: string): Promise<DonorKeys> {
    const db = openKysely<KeyTables>(location, { durable: true });
    try {
      await db.schema
        .createTable('donor_keys')
        .ifNotExists()
        .addColumn('account', 'text', (c) => c.primaryKey())
        .addColumn('key', 'text', (c) => c.notNull().unique())
        .addColumn('jwk', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('keys_identity')
        .ifNotExists()
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('name', 'text', (c) => c.notNull())
        .execute();
      if (!isPostgresUrl(location)) await chmod(location, 0o600);
    } catch (error) {
      await db.destroy();
      throw faultOf(location, error) ?? error;
    }
    return new DonorKeys(db);
  }

  /** @returns the account's donor key, made if there was none: asking twice is asking once. */
  async ensure(account: string): Promise<KeyId> {
    const identity = generateIdentity();
    await this.#db
      .insertInto('donor_keys')
      .values({ account, key: identity.id, jwk: JSON.stringify(identity.privateJwk) })
      .onConflict((oc) => oc.column('account').doNothing())
      .execute();
    const row = await this.#db.selectFrom('donor_keys').select('key').where('account', '=', account).executeTakeFirst();
    return row?.key ?? identity.id;
  }

  /** @returns the name of this database, made when it is first asked for. */
  async identity(): Promise<string> {
    const row = { id: 1, name: randomUUID() };
    await this.#db
      .insertInto('keys_identity')
      .values(row)
      .onConflict((oc) => oc.column('id').doNothing())
      .execute();
    return (await this.#db.selectFrom('keys_identity').select('name').executeTakeFirstOrThrow()).name;
  }

  /** Of these those that it has the private parts of. */
  async keptOf(keys: readonly KeyId[]): Promise<ReadonlySet<KeyId>> {
    const rows = await this.#db.selectFrom('donor_keys').select('key').execute();
    return new Set(rows.map(({ key }) => key)).intersection(new Set(keys));
  }

  async find(key: KeyId): Promise<Identity | undefined> {
    const row = await this.#db.selectFrom('donor_keys').select('jwk').where('key', '=', key).executeTakeFirst();
    return row === undefined ? undefined : identityFrom(privateJwkSchema.parse(JSON.parse(row.jwk)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#db.destroy();
  }
}
