import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import type { Account } from './accounts.ts';
import type { Database } from './database.ts';

/** A cookie's value: 32 random bytes. Only a session of somebody who is logged in has a row, under its SHA-256. */
export function newSessionToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The CSRF token of a session: who cannot read the cookie cannot make it, and it need not be stored. */
export function csrfTokenOf(sessionToken: string): string {
  return createHmac('sha256', sessionToken).update('potluck csrf').digest('base64url');
}

export function csrfMatches(sessionToken: string, candidate: string): boolean {
  const expected = Buffer.from(csrfTokenOf(sessionToken));
  const got = Buffer.from(candidate);
  return expected.length === got.length && timingSafeEqual(expected, got);
}

export class Sessions {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** @returns the new session's token, for the cookie. */
  async begin(accountId: string): Promise<string> {
    const token = newSessionToken();
    await this.#db
      .insertInto('sessions')
      .values({ token_hash: hashOf(token), account_id: accountId, expires_at: Date.now() + LIMITS.sessionMs })
      .execute();
    return token;
  }

  async accountOf(token: string): Promise<Account | undefined> {
    return await this.#db
      .selectFrom('sessions')
      .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
      .selectAll('accounts')
      .where('sessions.token_hash', '=', hashOf(token))
      .where('sessions.expires_at', '>', Date.now())
      .executeTakeFirst();
  }

  async end(token: string): Promise<void> {
    await this.#db.deleteFrom('sessions').where('token_hash', '=', hashOf(token)).execute();
  }

  async expire(now = Date.now()): Promise<void> {
    await this.#db.deleteFrom('sessions').where('expires_at', '<=', now).execute();
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
