import type { Address, KeyId } from '@potluck/protocol';
import { ServiceError } from '../errors.ts';
import { SITE_LIMITS } from '../limits.ts';
import { type Database, type Trx, transact } from './database.ts';
import { giveUpKeys } from './lost-keys.ts';
import type { Tasks } from './tasks.ts';

export interface Joining {
  /** The key that nodes know the gateway by: one for all sites of a clearinghouse. */
  readonly gatewayKey: KeyId;
  /** No other process can have this database: whoever is written down is dead. */
  readonly alone: boolean;
}

/** A database of donors' keys that a backend shows. */
export interface ShownKeys {
  /** By which it is told from any other. */
  readonly name: string;
  /** Which of these keys it has the private parts of. */
  readonly kept: (donorKeys: readonly KeyId[]) => Promise<ReadonlySet<KeyId>>;
  /** The operator says that what it does not have is lost for good. */
  readonly anew?: boolean;
}

/** The site processes of a clearinghouse. One that does not say in time that it lives is dead, and its nodes are away. */
export class Sites {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  /** @returns the number of this process among its like; never given twice. @throws ServiceError WRONG_GATEWAY_KEY */
  async join({ gatewayKey, alone }: Joining): Promise<number> {
    return await transact(this.#db, async (trx) => {
      await checkKey(trx, gatewayKey);
      if (alone) await trx.deleteFrom('sites').execute();
      // Of a process that was killed, or of a database that was moved.
      await trx
        .updateTable('nodes')
        .set(AWAY)
        .where('connected', '=', 1)
        .where(({ eb, or, selectFrom }) =>
          or([eb('site_id', 'is', null), eb('site_id', 'not in', selectFrom('sites').select('sites.id'))]),
        )
        .execute();
      const now = Date.now();
      const { id } = await trx
        .insertInto('sites')
        .values({ started_at: now, expires_at: now + SITE_LIMITS.lifeMs })
        .returning('id')
        .executeTakeFirstOrThrow();
      return Number(id);
    });
  }

  /**
   * Says that it lives, and where other sites reach its gateway.
   * @returns false if the others took it for dead in between, and its nodes for away.
   */
  async live(id: number, link: Address): Promise<boolean> {
    const now = Date.now();
    const facts = { link_host: link.host, link_port: link.port, expires_at: now + SITE_LIMITS.lifeMs };
    const { numUpdatedRows } = await this.#db
      .updateTable('sites')
      .set(facts)
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) return true;
    await this.#db
      .insertInto('sites')
      .values({ id, started_at: now, ...facts })
      .execute();
    return false;
  }

  /**
   * Of the databases of donors' keys the clearinghouse has one: the first that a backend shows, or another one if no donor
   * has a key yet or the operator says so, and no other site runs. Then what was donated by keys that it does not have is given up.
   * @throws ServiceError WRONG_KEYS_DATABASE
   */
  async adoptKeys({ name, kept, anew = false }: ShownKeys): Promise<void> {
    await transact(this.#db, async (trx) => {
      const columns = ['id', 'donor_key', 'closed_at'] as const;
      const rows = await trx.selectFrom('accounts').select(columns).where('donor_key', 'is not', null).execute();
      const has = await kept(rows.flatMap(({ donor_key }) => donor_key ?? []));
      const row = await trx.selectFrom('gateway').select('keys_id').executeTakeFirst();
      const known = row?.keys_id ?? null;
      if (known !== name) {
        // Another site's backend would go on with the one of before.
        const isFree = (rows.length === 0 || anew) && !(await hasOthers(trx));
        if (known !== null && !isFree) throw wrongKeys('another one');
        if (rows.length > 0 && has.size === 0 && !anew)
          throw wrongKeys(`none of the ${rows.length} that donated vessels belong to`);
      }
      if (known !== name) await trx.updateTable('gateway').set({ keys_id: name }).execute();
      const lost = rows.filter(({ donor_key }) => donor_key !== null && !has.has(donor_key));
      if (anew) await giveUpKeys(trx, this.#tasks, lost);
    });
  }

  /** Takes a process out, and with it the nodes that are connected to it. */
  async leave(id: number): Promise<void> {
    await transact(this.#db, async (trx) => await remove(trx, id));
  }

  /** Takes out who has not said in time that he lives; any site does it for all. @returns how many. */
  async bury(now = Date.now()): Promise<number> {
    const dead = this.#db.selectFrom('sites').select('id').where('expires_at', '<=', now);
    if ((await dead.executeTakeFirst()) === undefined) return 0; // Looking takes no write lock.
    return await transact(this.#db, async (trx) => {
      const rows = await trx.selectFrom('sites').select('id').where('expires_at', '<=', now).execute();
      for (const { id } of rows) await remove(trx, id);
      return rows.length;
    });
  }

  /** Where a living site's gateway is for other sites. */
  async linkOf(id: number): Promise<Address | undefined> {
    const row = await this.#db
      .selectFrom('sites')
      .select(['link_host', 'link_port'])
      .where('id', '=', id)
      .where('expires_at', '>', Date.now())
      .executeTakeFirst();
    if (row === undefined || row.link_host === null || row.link_port === null) return undefined;
    return { host: row.link_host, port: row.link_port };
  }

  /** Which living site a node is connected to. */
  async siteOf(node: KeyId): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('nodes')
      .innerJoin('sites', 'sites.id', 'nodes.site_id')
      .select('sites.id')
      .where('nodes.id', '=', node)
      .where('nodes.connected', '=', 1)
      .where('sites.expires_at', '>', Date.now())
      .executeTakeFirst();
    return row === undefined ? undefined : Number(row.id);
  }
}

const AWAY = { connected: 0, site_id: null };

async function remove(trx: Trx, id: number): Promise<void> {
  await trx
    .updateTable('nodes')
    .set({ ...AWAY, last_seen: Date.now() })
    .where('site_id', '=', id)
    .execute();
  await trx.deleteFrom('sites').where('id', '=', id).execute();
}

/** Whether more than one site lives: the one whose backend asks is among them. */
async function hasOthers(trx: Trx): Promise<boolean> {
  const living = trx.selectFrom('sites').select('id').where('expires_at', '>', Date.now()).limit(2);
  return (await living.execute()).length > 1;
}

function wrongKeys(got: string): ServiceError {
  const message = `expected the database of the donors' keys that this clearinghouse began with, got ${got}: name the same --keys-database for each of its sites, or restore it from a backup; if it is lost for good, stop all sites, start one once with --new-keys-database, and have the donors' machines installed again`;
  return new ServiceError('WRONG_KEYS_DATABASE', message);
}

async function checkKey(trx: Trx, key: KeyId): Promise<void> {
  const known = await trx.selectFrom('gateway').select('key_id').executeTakeFirst();
  if (known === undefined) await trx.insertInto('gateway').values({ id: 1, key_id: key }).execute();
  else if (known.key_id !== key) {
    throw new ServiceError(
      'WRONG_GATEWAY_KEY',
      `expected the gateway's key ${known.key_id}, which the nodes of this clearinghouse know, got ${key}: copy gateway.jwk from the state directory of its first site`,
    );
  }
}
