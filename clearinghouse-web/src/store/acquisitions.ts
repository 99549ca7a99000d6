import type { AcquireType } from '@potluck/protocol';
import { PortalError } from '../errors.ts';
import { LIMITS, QUEUE } from '../limits.ts';
import { type Database, type Trx, transact } from './database.ts';

/** What is asked for under a caller's name. */
export interface Named {
  readonly accountId: string;
  readonly key: string;
  readonly attempt: string;
  readonly count: number;
  readonly type: AcquireType;
  /** As text, in their order. */
  readonly rules?: readonly string[];
}

/** Acquisitions by the names that their callers gave them, so that a request whose answer was lost may be sent again. */
export class Acquisitions {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Writes the name down for this attempt, if it is new.
   * @returns which attempt has the name, and whether it has ended well. One that failed has left no name.
   * @throws PortalError INVALID_REQUEST: something else was asked for under the name
   */
  async begin({
    accountId,
    key,
    attempt,
    count,
    type,
    rules: texts = [],
  }: Named): Promise<{ attempt: string; done: boolean }> {
    const rules = JSON.stringify(texts);
    return await transact(this.#db, async (trx) => {
      const known = await trx
        .selectFrom('acquisitions')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('key', '=', key)
        .where('expires_at', '>', Date.now())
        .executeTakeFirst();
      if (known !== undefined) {
        const isSame = known.count === count && known.type === type && known.rules === rules;
        if (isSame) return { attempt: known.attempt, done: known.done === 1 };
        throw new PortalError(
          'INVALID_REQUEST',
          `expected ${known.count} ${known.type} vessels under this idempotencyKey by the same rules as before, got another wish`,
        );
      }
      await trx.deleteFrom('acquisitions').where('account_id', '=', accountId).where('key', '=', key).execute();
      // If the site dies in the middle, its reservations end by then, and the name may be used again.
      const expires_at = Date.now() + 3 * QUEUE.acquireMs;
      await trx
        .insertInto('acquisitions')
        .values({ account_id: accountId, key, attempt, count, type, rules, done: 0, expires_at })
        .execute();
      return { attempt, done: false };
    });
  }

  /** @returns undefined when it has failed. */
  async isDone(attempt: string): Promise<boolean | undefined> {
    const row = await this.#db
      .selectFrom('acquisitions')
      .select('done')
      .where('attempt', '=', attempt)
      .where('expires_at', '>', Date.now())
      .executeTakeFirst();
    return row && row.done === 1;
  }

  /** An attempt that failed may be made again under the same name. */
  async forget(attempt: string): Promise<void> {
    await this.#db.deleteFrom('acquisitions').where('attempt', '=', attempt).where('done', '=', 0).execute();
  }

  async expire(now = Date.now()): Promise<void> {
    await this.#db.deleteFrom('acquisitions').where('expires_at', '<=', now).execute();
  }
}

/** In the transaction that leases the vessels: either both are so, or none is. */
export async function keepAcquisition(trx: Trx, attempt: string): Promise<void> {
  await trx
    .updateTable('acquisitions')
    .set({ done: 1, expires_at: Date.now() + LIMITS.idempotencyMs })
    .where('attempt', '=', attempt)
    .execute();
}
