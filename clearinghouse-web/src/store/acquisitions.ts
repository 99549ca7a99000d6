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

/** An acquisition that has a name. */
export interface Acquisition {
  readonly attempt: string;
  readonly done: boolean;
  /** Milliseconds since the epoch: as long the name is its own, and longer while it goes on. */
  readonly until: number;
}

/** Acquisitions by the names that their callers gave them, so that a request whose answer was lost may be sent again. */
export class Acquisitions {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Writes the name down for this attempt, if it is new.
   * @returns which attempt has the name, whether it has ended well, and until when the name is its own at least. One that
   * failed has left no name.
   * @throws PortalError KEY_REUSED: something else was asked for under the name
   */
  async begin({ accountId, key, attempt, count, type, rules: texts = [] }: Named): Promise<Acquisition> {
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
        if (isSame) return { attempt: known.attempt, done: known.done === 1, until: known.expires_at };
        throw new PortalError(
          'KEY_REUSED',
          `expected ${known.count} ${known.type} vessels under this idempotencyKey by the same rules as before, got another wish`,
        );
      }
      await trx.deleteFrom('acquisitions').where('account_id', '=', accountId).where('key', '=', key).execute();
      const until = heldUntil();
      await trx
        .insertInto('acquisitions')
        .values({ account_id: accountId, key, attempt, count, type, rules, done: 0, expires_at: until })
        .execute();
      return { attempt, done: false, until };
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

/** If the site dies in the middle, its last reservations end by then, and the name may be used again. */
function heldUntil(): number {
  return Date.now() + 3 * QUEUE.acquireMs;
}

interface Owned {
  readonly id: string;
  readonly accountId: string;
}

/**
 * In each transaction that reserves vessels: the name stays the attempt's for as long as they stay reserved.
 * @throws PortalError IN_PROGRESS: it is no longer, so that another may have begun under it
 */
export async function holdName(trx: Trx, attempt: Owned): Promise<void> {
  await moveOn(trx, attempt, { expires_at: heldUntil() });
}

/**
 * In the transaction that leases the vessels: either both are so, or none is. The oldest names past the limit are forgotten.
 * @throws PortalError IN_PROGRESS: the name is no longer the attempt's
 */
export async function keepName(trx: Trx, attempt: Owned): Promise<void> {
  await moveOn(trx, attempt, { done: 1, expires_at: Date.now() + LIMITS.idempotencyMs });
  const mine = trx.selectFrom('acquisitions').select('key').where('account_id', '=', attempt.accountId);
  const kept = mine.where('done', '=', 1).orderBy('expires_at', 'desc').limit(LIMITS.idempotencyKeysPerAccount);
  await trx
    .deleteFrom('acquisitions')
    .where('account_id', '=', attempt.accountId)
    .where('done', '=', 1)
    .where('key', 'not in', kept)
    .execute();
}

async function moveOn(trx: Trx, { id }: Owned, facts: { done?: 1; expires_at: number }): Promise<void> {
  const row = await trx.updateTable('acquisitions').set(facts).where('attempt', '=', id).executeTakeFirst();
  if (row.numUpdatedRows > 0n) return;
  const message =
    'expected the acquisition to have its idempotencyKey still, it took too long and has lost it: ask again';
  throw new PortalError('IN_PROGRESS', message, { details: { retryAfterSeconds: 1 } });
}
