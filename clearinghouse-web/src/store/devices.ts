import { LIMITS } from '../limits.ts';
import { type Database, transact } from './database.ts';
import { mustBeOpen } from './open.ts';
import { hashOf, newSecret } from './secrets.ts';

/**
 * Browsers that have logged in to an account before. They have attempts of their own, so that a stranger who guesses at
 * an account's password does not lock its user out of them (OWASP calls it device cookies).
 */
export class Devices {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** @returns the device's secret, for its cookie; the oldest ones past the limit are forgotten. @throws PortalError NO_SUCH_ACCOUNT */
  async remember(accountId: string, now = Date.now()): Promise<string> {
    const secret = newSecret();
    const row = { token_hash: hashOf(secret), account_id: accountId, expires_at: now + LIMITS.deviceMs };
    await transact(this.#db, async (trx) => {
      await mustBeOpen(trx, accountId);
      await trx.insertInto('devices').values(row).execute();
      const kept = trx
        .selectFrom('devices')
        .select('token_hash')
        .where('account_id', '=', accountId)
        .orderBy('expires_at', 'desc')
        .limit(LIMITS.devicesPerAccount);
      await trx.deleteFrom('devices').where('account_id', '=', accountId).where('token_hash', 'not in', kept).execute();
    });
    return secret;
  }

  /** @returns the name under which its attempts are counted; undefined for one that this account does not know. */
  async find(accountId: string, secret: string, now = Date.now()): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom('devices')
      .select('token_hash')
      .where('token_hash', '=', hashOf(secret))
      .where('account_id', '=', accountId)
      .where('expires_at', '>', now)
      .executeTakeFirst();
    return row?.token_hash;
  }

  async expire(now = Date.now()): Promise<void> {
    await this.#db.deleteFrom('devices').where('expires_at', '<=', now).execute();
  }
}
