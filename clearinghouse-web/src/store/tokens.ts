import { randomUUID } from 'node:crypto';
import { type Scope, scopeSchema, TOKEN_PREFIX } from '@potluck/protocol';
import type { Selectable } from 'kysely';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Account } from './accounts.ts';
import { record } from './audit.ts';
import { type Database, transact } from './database.ts';
import { type Acting, mustBeOpen } from './open.ts';
import type { TokensTable } from './schema.ts';
import { hashOf, newSecret } from './secrets.ts';

/** An API token as its user sees it: without the secret, which nobody has but he. */
export interface Token {
  readonly id: string;
  readonly name: string;
  /** The first characters of the secret part, to tell tokens apart. */
  readonly hint: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt: number | null;
}

export interface NewToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresAt: number;
}

export class Tokens {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** @returns the token, and the text that is shown once. @throws PortalError TOO_MANY, NO_SUCH_ACCOUNT, WRONG_PASSWORD */
  async create(account: Acting, wanted: NewToken): Promise<{ token: Token; secret: string }> {
    const secret = newSecret();
    const values = {
      id: randomUUID(),
      secret_hash: hashOf(secret),
      name: wanted.name,
      hint: secret.slice(0, 4),
      scopes: [...new Set(wanted.scopes)].join(' '),
      created_at: Date.now(),
      expires_at: wanted.expiresAt,
    };
    const row = await transact(this.#db, async (trx) => {
      const accountId = await mustBeOpen(trx, account);
      const { n } = await trx
        .selectFrom('tokens')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .where('account_id', '=', accountId)
        .executeTakeFirstOrThrow();
      if (Number(n) >= LIMITS.tokensPerAccount) {
        const message = `expected at most ${LIMITS.tokensPerAccount} tokens, got one more: revoke one first`;
        throw new PortalError('TOO_MANY', message);
      }
      const { id, name, scopes } = values;
      const details = { id, name, scopes };
      await record(trx, { actor: accountId, action: 'account.token-make', subject: accountId, details });
      return await trx
        .insertInto('tokens')
        .values({ ...values, account_id: accountId })
        .returningAll()
        .executeTakeFirstOrThrow();
    });
    return { token: tokenOf(row), secret: TOKEN_PREFIX + secret };
  }

  /** Newest first; those that have expired, too, until they are swept. */
  async list(accountId: string): Promise<Token[]> {
    const rows = await this.#db
      .selectFrom('tokens')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .execute();
    return rows.map(tokenOf);
  }

  /** @returns whether the account had it. */
  async revoke(accountId: string, id: string): Promise<boolean> {
    return await transact(this.#db, async (trx) => {
      const gone = await trx
        .deleteFrom('tokens')
        .where('account_id', '=', accountId)
        .where('id', '=', id)
        .returning('name')
        .executeTakeFirst();
      if (gone === undefined) return false;
      const details = { id, name: gone.name };
      await record(trx, { actor: accountId, action: 'account.token-revoke', subject: accountId, details });
      return true;
    });
  }

  /** Whose token it is, whether or not it has expired; that it was used is written down. */
  async find(text: string, now = Date.now()): Promise<{ account: Account; token: Token } | undefined> {
    if (!text.startsWith(TOKEN_PREFIX)) return undefined;
    const row = await this.#db
      .selectFrom('tokens')
      .selectAll()
      .where('secret_hash', '=', hashOf(text.slice(TOKEN_PREFIX.length)))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const account = await this.#db
      .selectFrom('accounts')
      .selectAll()
      .where('id', '=', row.account_id)
      .executeTakeFirstOrThrow();
    if (row.expires_at > now && (row.used_at ?? 0) <= now - LIMITS.seenMs) {
      await this.#db.updateTable('tokens').set({ used_at: now }).where('id', '=', row.id).execute();
    }
    return { account, token: tokenOf(row) };
  }

  /** Forgets tokens that ended a window of a year ago or more: until then their users see that they have. */
  async expire(now = Date.now()): Promise<void> {
    await this.#db
      .deleteFrom('tokens')
      .where('expires_at', '<=', now - LIMITS.tokenMs)
      .execute();
  }
}

function tokenOf(row: Selectable<TokensTable>): Token {
  return {
    id: row.id,
    name: row.name,
    hint: TOKEN_PREFIX + row.hint,
    scopes: scopeSchema.array().parse(row.scopes.split(' ')),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedAt: row.used_at,
  };
}
