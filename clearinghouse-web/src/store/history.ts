import { sql } from 'kysely';
import { HISTORY_LIMITS } from '../limits.ts';
import { type Database, type Trx, transact } from './database.ts';

const DAY_MS = 24 * 3_600_000;

/** How the whole was at one time. */
export interface Pulse {
  readonly at: number;
  readonly nodes: number;
  readonly vessels: number;
  readonly free: number;
  /** Whether the backend took tasks. */
  readonly backend: boolean;
}

/** What an account's machines gave on one day (UTC), together. */
export interface DayGiven {
  /** When it began. */
  readonly day: number;
  /** Hours of machines that were up. */
  readonly onlineHours: number;
  /** Hours of vessels that somebody held. */
  readonly lentHours: number;
}

/** What has been: looked at every few minutes, so that nothing has to be written when a node comes or a lease ends. */
export class History {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Writes down how it is, unless somebody has done so within the last `HISTORY_LIMITS.everyMs`: any number of sites may ask.
   * What a machine gave since the last look counts for the day of this one; longer than two looks nobody was looking, and
   * nothing counts.
   * @param ask is asked only when it is time.
   */
  async look(ask: () => Promise<Omit<Pulse, 'at'>>, now = Date.now()): Promise<void> {
    if (now - (await lastLook(this.#db)) < HISTORY_LIMITS.everyMs) return; // Looking takes no write lock.
    const pulse = await ask();
    await await transact(this.#db, async (trx) => {
      const sinceMs = now - (await lastLook(trx));
      if (sinceMs < HISTORY_LIMITS.everyMs) return;
      if (sinceMs <= 2 * HISTORY_LIMITS.everyMs) await addGiven(trx, now, sinceMs);
      const { nodes, vessels, free, backend } = pulse;
      await trx
        .insertInto('pulses')
        .values({ at: now, nodes, vessels, free, backend: backend ? 1 : 0 })
        .execute();
    });
    await this.#prune(now);
  }

  /** The looks since then, oldest first. */
  async pulses(since: number): Promise<Pulse[]> {
    const rows = await this.#db.selectFrom('pulses').selectAll().where('at', '>=', since).orderBy('at').execute();
    return rows.map(({ at, backend, ...counts }) => ({ ...counts, at: Number(at), backend: backend === 1 }));
  }

  /** Each of the last days, today included, also those on which nothing was given. */
  async given(accountId: string, days: number, now = Date.now()): Promise<DayGiven[]> {
    const first = dayOf(now) - (days - 1) * DAY_MS;
    const rows = await this.#db
      .selectFrom('contributions')
      .select(['day', (eb) => eb.fn.sum('online_ms').as('online'), (eb) => eb.fn.sum('lent_ms').as('lent')])
      .where('account_id', '=', accountId)
      .where('day', '>=', first)
      .groupBy('day')
      .execute();
    const byDay = new Map(rows.map((row) => [Number(row.day), row]));
    return Array.from({ length: days }, (_, index) => {
      const day = first + index * DAY_MS;
      const { online = 0, lent = 0 } = byDay.get(day) ?? {};
      return { day, onlineHours: Number(online) / 3_600_000, lentHours: Number(lent) / 3_600_000 };
    });
  }

  /** What each of an account's machines has given in all. */
  async givenByNode(accountId: string): Promise<Map<string, Omit<DayGiven, 'day'>>> {
    const rows = await this.#db
      .selectFrom('contributions')
      .select(['node_id', (eb) => eb.fn.sum('online_ms').as('online'), (eb) => eb.fn.sum('lent_ms').as('lent')])
      .where('account_id', '=', accountId)
      .groupBy('node_id')
      .execute();
    return new Map(
      rows.map(({ node_id, online, lent }) => [
        node_id,
        { onlineHours: Number(online) / 3_600_000, lentHours: Number(lent) / 3_600_000 },
      ]),
    );
  }

  async #prune(now: number): Promise<void> {
    await this.#db
      .deleteFrom('pulses')
      .where('at', '<', now - HISTORY_LIMITS.pulsesMs)
      .execute();
    await this.#db
      .deleteFrom('contributions')
      .where('day', '<', dayOf(now) - HISTORY_LIMITS.contributionsMs)
      .execute();
  }
}

async function lastLook(db: Database | Trx): Promise<number> {
  const row = await db
    .selectFrom('pulses')
    .select((eb) => eb.fn.max('at').as('at'))
    .executeTakeFirst();
  return Number(row?.at ?? 0);
}

/** One statement for all machines that are up. */
async function addGiven(trx: Trx, now: number, sinceMs: number): Promise<void> {
  await trx
    .insertInto('contributions')
    .columns(['account_id', 'node_id', 'day', 'online_ms', 'lent_ms'])
    .expression((eb) =>
      eb
        .selectFrom('donations')
        .innerJoin('nodes', 'nodes.id', 'donations.node_id')
        .select((s) => [
          'donations.account_id',
          'donations.node_id',
          sql.lit(dayOf(now)).as('day'),
          sql.lit(sinceMs).as('online_ms'),
          s(
            s
              .selectFrom('vessels')
              .select((v) => v.fn.countAll<number>().as('n'))
              .whereRef('vessels.node_id', '=', 'donations.node_id')
              .where('vessels.state', '=', 'leased'),
            '*',
            sql.lit(sinceMs),
          ).as('lent_ms'),
        ])
        .where('nodes.connected', '=', 1)
        .where('nodes.advertised_until', '>', now),
    )
    .onConflict((oc) =>
      oc.columns(['account_id', 'node_id', 'day']).doUpdateSet((eb) => ({
        online_ms: eb('contributions.online_ms', '+', eb.ref('excluded.online_ms')),
        lent_ms: eb('contributions.lent_ms', '+', eb.ref('excluded.lent_ms')),
      })),
    )
    .execute();
}

function dayOf(at: number): number {
  return at - (at % DAY_MS);
}
