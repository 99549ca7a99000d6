import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { type Database, type Trx, transact } from './database.ts';

/** Something that may be tried so often in `windowMs`: `login:address:10.0.0.7`. */
export interface Budget {
  readonly key: string;
  readonly limit: number;
}

/** Counts what was tried and failed, for all sites of one database. */
export class Attempts {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Counts an attempt before it is made, so that many at once are no more than one after the other.
   * @throws PortalError TOO_MANY_REQUESTS: then none of them is counted.
   */
  async take(budgets: readonly Budget[], now = Date.now()): Promise<void> {
    await transact(this.#db, async (trx) => {
      for (const budget of budgets) await takeOne(trx, budget, now);
    });
  }

  /** For an attempt that was a good one. */
  async giveBack(budgets: readonly Budget[]): Promise<void> {
    for (const { key } of budgets) {
      await this.#db
        .updateTable('attempts')
        .set((eb) => ({ count: eb('count', '-', 1) }))
        .where('key', '=', key)
        .where('count', '>', 0)
        .execute();
    }
  }

  async expire(now = Date.now()): Promise<void> {
    await this.#db.deleteFrom('attempts').where('until', '<=', now).execute();
  }
}

async function takeOne(trx: Trx, { key, limit }: Budget, now: number): Promise<void> {
  await trx.deleteFrom('attempts').where('key', '=', key).where('until', '<=', now).execute();
  const { count, until } = await trx
    .insertInto('attempts')
    .values({ key, count: 1, until: now + LIMITS.windowMs })
    .onConflict((oc) => oc.column('key').doUpdateSet((eb) => ({ count: eb('attempts.count', '+', 1) })))
    .returning(['count', 'until'])
    .executeTakeFirstOrThrow();
  if (count <= limit) return;
  const minutes = LIMITS.windowMs / 60_000;
  const message = `expected at most ${limit} failed attempts in ${minutes} minutes, got more: wait a little`;
  throw new PortalError('TOO_MANY_REQUESTS', message, {
    details: { retryAfterSeconds: Math.max(1, Math.ceil((Number(until) - now) / 1000)) },
  });
}
