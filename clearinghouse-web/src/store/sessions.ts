import { createHmac, timingSafeEqual } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import type { Account } from './accounts.ts';
import { type Database, type Trx, transact } from './database.ts';
import { type Acting, mustBeOpen } from './open.ts';
import { hashOf, newSecret } from './secrets.ts';

/** From where somebody has logged in, as far as it is kept. */
export interface Whence {
  /** The /24 or /48 of the address, as text; empty when it is not known. */
  readonly network: string;
  /** The browser, in a few words. */
  readonly agent: string;
}

/** A log-in of an account that has not ended, as its user sees it. */
export interface Session extends Whence {
  /** The hash of its secret: names it, and opens nothing. */
  readonly id: string;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
}

/** The browser that stays when the others are logged out, by the secrets of its cookies. */
export interface Kept {
  readonly session: string;
  readonly device?: string | undefined;
}

/** A cookie's value: 32 random bytes. Only a session of somebody who is logged in has a row, under its SHA-256. */
export function newSessionToken(): string {
  return newSecret();
}

/** The name of a session, as lists of them have it. */
export function sessionIdOf(sessionToken: string): string {
  return hashOf(sessionToken);
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

  /** @returns the new session's token, for the cookie. @throws PortalError NO_SUCH_ACCOUNT, WRONG_PASSWORD */
  async begin(account: Acting, whence: Whence = { network: '', agent: '' }): Promise<string> {
    const token = newSessionToken();
    const now = Date.now();
    const times = { expires_at: now + LIMITS.sessionMs, created_at: now, seen_at: now };
    await transact(this.#db, async (trx) => {
      const account_id = await mustBeOpen(trx, account);
      const row = { token_hash: hashOf(token), account_id, ...times, ...whence };
      await trx.insertInto('sessions').values(row).execute();
    });
    return token;
  }

  async accountOf(token: string, now = Date.now()): Promise<Account | undefined> {
    const row = await this.#db
      .selectFrom('sessions')
      .innerJoin('accounts', 'accounts.id', 'sessions.account_id')
      .selectAll('accounts')
      .select('sessions.seen_at as seen')
      .where('sessions.token_hash', '=', hashOf(token))
      .where('sessions.expires_at', '>', now)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const { seen, ...account } = row;
    if (seen <= now - LIMITS.seenMs) {
      await this.#db.updateTable('sessions').set({ seen_at: now }).where('token_hash', '=', hashOf(token)).execute();
    }
    return account;
  }

  /** Those that have not ended, the last used one first. */
  async list(accountId: string, now = Date.now()): Promise<Session[]> {
    const rows = await this.#db
      .selectFrom('sessions')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('expires_at', '>', now)
      .orderBy('seen_at', 'desc')
      .orderBy('token_hash')
      .execute();
    return rows.map((row) => ({
      id: row.token_hash,
      createdAt: row.created_at,
      seenAt: row.seen_at,
      expiresAt: row.expires_at,
      network: row.network,
      agent: row.agent,
    }));
  }

  async end(token: string): Promise<void> {
    await this.#db.deleteFrom('sessions').where('token_hash', '=', hashOf(token)).execute();
  }

  /** Ends one of the account's sessions. @returns whether it had it. */
  async endOne(accountId: string, id: string): Promise<boolean> {
    const gone = await this.#db
      .deleteFrom('sessions')
      .where('account_id', '=', accountId)
      .where('token_hash', '=', id)
      .executeTakeFirst();
    return gone.numDeletedRows > 0n;
  }

  /** Logs the account out everywhere but, if it is given, in this browser: see `endLogIns`. */
  async endAll(accountId: string, kept?: Kept): Promise<void> {
    await transact(this.#db, async (trx) => await endLogIns(trx, accountId, kept));
  }

  async expire(now = Date.now()): Promise<void> {
    await this.#db.deleteFrom('sessions').where('expires_at', '<=', now).execute();
  }
}

/**
 * Ends an account's sessions and forgets the browsers that it knows: who is no longer trusted has a stranger's attempts at
 * the password, and no more.
 * @param kept the one browser to which neither happens.
 */
export async function endLogIns(trx: Trx, accountId: string, { session, device }: Partial<Kept> = {}): Promise<void> {
  for (const [table, secret] of [
    ['sessions', session],
    ['devices', device],
  ] as const) {
    await trx
      .deleteFrom(table)
      .where('account_id', '=', accountId)
      .$if(secret !== undefined, (query) => query.where('token_hash', '!=', hashOf(secret ?? '')))
      .execute();
  }
}
