import { type Advertisement, type KeyId, type Reach, reachSchema } from '@potluck/protocol';
import { sql } from 'kysely';
import { LIMITS, POLICY, QUEUE } from '../limits.ts';
import { countryOf } from '../rules/facts.ts';
import { type Database, type Trx, transact } from './database.ts';
import { lookAt } from './due.ts';
import { endLeases } from './ending.ts';
import { settleDonations, unsettledDonations } from './ledger.ts';
import { advance } from './life.ts';
import { networkOf, reachFrom } from './networks.ts';
import type { Tasks } from './tasks.ts';

/** Nodes that one sweep looks after, so that it ends soon. */
const SWEPT = 100;

export interface Sighting {
  readonly node: KeyId;
  readonly advertisement: Omit<Advertisement, 'labels'> & Partial<Pick<Advertisement, 'labels'>>;
  readonly jws: string;
  /** Where its connection comes from, if it proved its key in it; what it says of its addresses proves nothing. */
  readonly host?: string | undefined;
  /** The first of its connection: then the node is looked at again. */
  readonly first: boolean;
  /** The number of the site process that has the connection. */
  readonly site?: number;
}

export interface KnownNode {
  readonly reach: Reach;
  /** Where its connection comes from, as `networkOf` says it; null while nobody has proved it. */
  readonly network: string | null;
  /** Those that it names. */
  readonly keys: readonly KeyId[];
}

export interface DonationRow {
  readonly node: KeyId;
  readonly reach: Reach;
  readonly active: boolean;
  readonly lastSeen: number;
  readonly vessels: number;
}

export class Nodes {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  /**
   * Writes down what a node says of itself and queues what has to follow.
   * @returns false if a newer advertisement of the node is known: then this one changes nothing.
   */
  async seen({ node, advertisement, jws, first, host, site = 0 }: Sighting): Promise<boolean> {
    const now = Date.now();
    const { labels = [], ...said } = advertisement;
    const { addresses, relays } = reachFrom(host, said);
    const reach = JSON.stringify({ addresses, relays });
    return await transact(this.#db, async (trx) => {
      const known = await trx.selectFrom('nodes').selectAll().where('id', '=', node).executeTakeFirst();
      const issuedAt = advertisement.iat * 1000;
      // A public text can be sent again by anybody; it must not move a node back to where it was.
      if (known !== undefined && issuedAt < known.advertised_at && known.advertised_until > now) return false;
      const facts = {
        reach,
        relayed: addresses.length === 0 ? 1 : 0,
        advertisement: jws,
        advertised_at: issuedAt,
        advertised_until: advertisement.exp * 1000,
        connected: 1,
        // Its newest connection counts: an older one to another site may be dead without knowing it.
        site_id: first || known?.connected !== 1 ? site : known.site_id,
        last_seen: now,
        labels: JSON.stringify(labels),
        ...(host !== undefined && { network: networkOf(host), country: countryOf(host) ?? null }),
      };
      await trx
        .insertInto('nodes')
        .values({ id: node, first_seen: now, ...facts })
        .onConflict((oc) => oc.column('id').doUpdateSet(facts))
        .execute();
      await trx.deleteFrom('node_keys').where('node_id', '=', node).execute();
      const keys = [...new Set(advertisement.keys)].map((key_id) => ({ node_id: node, key_id }));
      if (keys.length > 0) await trx.insertInto('node_keys').values(keys).execute();
      if (first || known?.reach !== reach) {
        await this.#tasks.wakeNode(trx, node);
        if (await namesDonor(trx, advertisement.keys)) {
          await advance(trx, node, 'seen', 'it has dialled in');
          await this.#inspect(trx, node, { nextAt: now + QUEUE.inspectMs, at: await lookAt(trx, node, now) });
        }
      }
      if (known?.connected !== 1 || known.advertised_until <= now) await settleDonations(trx, node);
      return true;
    });
  }

  /** Looks after nodes that are not where they should be: see `life.ts`. @returns whether there is something to do. */
  async sweep(now = Date.now()): Promise<boolean> {
    const due = this.#db
      .selectFrom('nodes')
      .select('id')
      .where('life', 'is not', null)
      .where('connected', '=', sql.lit(1))
      .where('inspect_at', '<=', now)
      .limit(SWEPT);
    const absent = this.#db
      .selectFrom('nodes')
      .select('id')
      .where('life', 'in', ['accepting', 'splitting', 'offered', 'broken'])
      .where('connected', '=', sql.lit(0))
      .where('last_seen', '<=', now - POLICY.goneMs)
      .limit(SWEPT);
    const [toInspect, toForget] = [await due.execute(), await absent.execute()];
    if (toInspect.length + toForget.length === 0) return false; // Looking takes no write lock.
    for (const { id } of toInspect) {
      await transact(this.#db, async (trx) => {
        const row = await trx.selectFrom('nodes').select('life').where('id', '=', id).executeTakeFirst();
        const nextAt = now + (row?.life === 'broken' ? QUEUE.inspectBrokenMs : QUEUE.inspectMs);
        await this.#inspect(trx, id, { nextAt, at: now });
      });
    }
    for (const { id } of toForget) await transact(this.#db, async (trx) => await this.#absent(trx, id, now));
    return true;
  }

  /** Nobody waits for it any more: who holds a vessel there gets his credit back, and it is emptied if it ever returns. */
  async #absent(trx: Trx, node: KeyId, now: number): Promise<void> {
    const still = await trx
      .selectFrom('nodes')
      .select('last_seen')
      .where('id', '=', node)
      .where('connected', '=', 0)
      .where('last_seen', '<=', now - POLICY.goneMs)
      .executeTakeFirst();
    if (still === undefined) return;
    await advance(trx, node, 'absent', `last seen ${new Date(still.last_seen).toISOString()}`);
    await endLeases(trx, this.#tasks, (eb) => eb('node_id', '=', node));
  }

  async #inspect(trx: Trx, node: KeyId, { nextAt, at }: { nextAt: number; at: number }): Promise<void> {
    const set = trx.updateTable('nodes').set({ inspect_at: nextAt }).where('id', '=', node);
    const row = await set.returning('network').executeTakeFirst();
    const task = { kind: 'inspect-node', subject: `node:${node}`, node, payload: { node } };
    await this.#tasks.addOnce(trx, { ...task, giver: row?.network ?? undefined }, at);
  }

  /** The last connection of a node to this site has closed; if it has dialled another one since, that one counts. */
  async gone(node: KeyId, site = 0): Promise<void> {
    await transact(this.#db, async (trx) => {
      await trx
        .updateTable('nodes')
        .set({ connected: 0, site_id: null, last_seen: Date.now() })
        .where('id', '=', node)
        .where('site_id', '=', site)
        .execute();
      await settleDonations(trx, node);
    });
  }

  /** Gives and takes the credits of donations that came and went while no transaction of theirs saw it. */
  async settle(): Promise<void> {
    if ((await unsettledDonations(this.#db)).length === 0) return; // Looking takes no write lock.
    await transact(this.#db, async (trx) => await settleDonations(trx));
  }

  /** These are connected to this site, and were taken for away. */
  async back(nodes: readonly KeyId[], site: number): Promise<void> {
    for (let at = 0; at < nodes.length; at += 500) {
      await this.#db
        .updateTable('nodes')
        .set({ connected: 1, site_id: site })
        .where('id', 'in', nodes.slice(at, at + 500))
        .where('connected', '=', 0)
        .execute();
    }
  }

  /** Forgets nodes that have donated nothing and have not been there for long. */
  async prune(now = Date.now()): Promise<void> {
    await this.#db
      .deleteFrom('nodes')
      .where('connected', '=', sql.lit(0))
      .where('last_seen', '<', now - LIMITS.strangerMs)
      .where('id', 'not in', (eb) => eb.selectFrom('donations').select('node_id'))
      .where('id', 'not in', (eb) => eb.selectFrom('vessels').select('node_id'))
      .execute();
  }

  /** Where a node is and which keys it names, if it has ever been seen. */
  async find(node: KeyId): Promise<KnownNode | undefined> {
    const row = await this.#db
      .selectFrom('nodes')
      .select(['reach', 'network'])
      .where('id', '=', node)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const keys = await this.#db.selectFrom('node_keys').select('key_id').where('node_id', '=', node).execute();
    return { reach: reachOf(row), network: row.network, keys: keys.map(({ key_id }) => key_id) };
  }

  /**
   * The signed texts, still valid, of the nodes that name this key. Anybody may name anybody's key: the donated nodes come
   * first and then those that are known longest, up to a size that readers take.
   */
  async advertisementsOf(key: KeyId): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('node_keys')
      .innerJoin('nodes', 'nodes.id', 'node_keys.node_id')
      .leftJoin('donations', 'donations.node_id', 'nodes.id')
      .select('nodes.advertisement')
      .where('node_keys.key_id', '=', key)
      .where('nodes.advertised_until', '>', Date.now())
      .orderBy(sql`donations.node_id IS NULL`)
      .orderBy('nodes.first_seen')
      .orderBy('nodes.id')
      .limit(LIMITS.advertisementsPerKey)
      .execute();
    let left = LIMITS.advertisementsBytes;
    return rows.flatMap(({ advertisement }) => {
      left -= advertisement.length;
      return left < 0 ? [] : [advertisement];
    });
  }

  async donationsOf(accountId: string): Promise<DonationRow[]> {
    const rows = await this.#db
      .selectFrom('donations')
      .innerJoin('nodes', 'nodes.id', 'donations.node_id')
      .select(['nodes.id', 'reach', 'connected', 'advertised_until', 'last_seen'])
      .select((eb) =>
        eb
          .selectFrom('vessels')
          .select((v) => v.fn.countAll<number>().as('n'))
          .whereRef('vessels.node_id', '=', 'nodes.id')
          .as('vessels'),
      )
      .where('donations.account_id', '=', accountId)
      .orderBy('donations.created_at')
      .execute();
    return rows.map(({ id, reach, connected, advertised_until, last_seen, vessels }) => ({
      node: id,
      reach: reachOf({ reach }),
      active: connected === 1 && advertised_until > Date.now(),
      lastSeen: last_seen,
      vessels: Number(vessels ?? 0),
    }));
  }

  /** Active donated nodes, and the vessels on them: for everyone to see. */
  async counts(): Promise<{ nodes: number; vessels: number; free: number }> {
    const active = this.#db
      .selectFrom('donations')
      .innerJoin('nodes', 'nodes.id', 'donations.node_id')
      .where('nodes.connected', '=', 1)
      .where('nodes.advertised_until', '>', Date.now())
      .where('nodes.life', 'in', ['splitting', 'offered']);
    const nodes = await active.select((eb) => eb.fn.countAll<number>().as('n')).executeTakeFirstOrThrow();
    const vessels = await active
      .innerJoin('vessels', 'vessels.node_id', 'nodes.id')
      .select((eb) => [
        eb.fn.countAll<number>().as('all'),
        eb.fn
          .countAll<number>()
          .filterWhere(({ and, eb: is }) =>
            and([is('vessels.state', '=', 'free'), is('nodes.life', '=', 'offered'), is('nodes.draining', '=', 0)]),
          )
          .as('free'),
      ])
      .executeTakeFirstOrThrow();
    return { nodes: Number(nodes.n), vessels: Number(vessels.all), free: Number(vessels.free) };
  }
}

async function namesDonor(trx: Trx, keys: readonly KeyId[]): Promise<boolean> {
  if (keys.length === 0) return false;
  const donor = await trx.selectFrom('accounts').select('id').where('donor_key', 'in', keys).executeTakeFirst();
  return donor !== undefined;
}

/** @returns what a row's `reach` says. */
export function reachOf({ reach }: { readonly reach: string }): Reach {
  return reachSchema.parse(JSON.parse(reach));
}
