import type { Selectable } from 'kysely';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { record } from './audit.ts';
import { type Database, transact } from './database.ts';
import { type Acting, mustBeOpen } from './open.ts';
import type { PasskeysTable } from './schema.ts';

/** A passkey as its user sees it. */
export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly usedAt: number | null;
}

/** What is needed to check what a passkey has signed. */
export interface Credential {
  readonly id: string;
  readonly accountId: string;
  /** COSE */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly counter: number;
}

export interface NewPasskey extends Omit<Credential, 'accountId'> {
  readonly name: string;
  readonly transports: readonly string[];
}

export class Passkeys {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** @throws PortalError TOO_MANY, NO_SUCH_ACCOUNT, WRONG_PASSWORD, INVALID_REQUEST: it is known already */
  async add(account: Acting, { id, ...passkey }: NewPasskey): Promise<void> {
    await transact(this.#db, async (trx) => {
      const accountId = await mustBeOpen(trx, account);
      const { n } = await trx
        .selectFrom('passkeys')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .where('account_id', '=', accountId)
        .executeTakeFirstOrThrow();
      if (Number(n) >= LIMITS.passkeysPerAccount) {
        const message = `expected at most ${LIMITS.passkeysPerAccount} passkeys, got one more: remove one first`;
        throw new PortalError('TOO_MANY', message);
      }
      const values = {
        id,
        account_id: accountId,
        name: passkey.name,
        public_key: Buffer.from(passkey.publicKey).toString('base64url'),
        counter: passkey.counter,
        transports: JSON.stringify(passkey.transports),
        created_at: Date.now(),
      };
      const added = await trx
        .insertInto('passkeys')
        .values(values)
        .onConflict((oc) => oc.column('id').doNothing())
        .returning('id')
        .executeTakeFirst();
      if (added === undefined)
        throw new PortalError('INVALID_REQUEST', 'expected a new passkey, got one that is known');
      const details = { name: passkey.name };
      await record(trx, { actor: accountId, action: 'account.passkey-add', subject: accountId, details });
    });
  }

  async list(accountId: string): Promise<Passkey[]> {
    const rows = await this.#db
      .selectFrom('passkeys')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(passkeyOf);
  }

  async find(id: string): Promise<Credential | undefined> {
    const row = await this.#db.selectFrom('passkeys').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) return undefined;
    const publicKey = Uint8Array.from(Buffer.from(row.public_key, 'base64url'));
    return { id, accountId: row.account_id, publicKey, counter: row.counter };
  }

  async used(id: string, counter: number): Promise<void> {
    await this.#db.updateTable('passkeys').set({ counter, used_at: Date.now() }).where('id', '=', id).execute();
  }

  /** @returns whether the account had it. */
  async rename(accountId: string, id: string, name: string): Promise<boolean> {
    const renamed = await this.#db
      .updateTable('passkeys')
      .set({ name })
      .where('account_id', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst();
    return renamed.numUpdatedRows > 0n;
  }

  /** @returns whether the account had it. */
  async remove(accountId: string, id: string): Promise<boolean> {
    return await transact(this.#db, async (trx) => {
      const removed = await trx
        .deleteFrom('passkeys')
        .where('account_id', '=', accountId)
        .where('id', '=', id)
        .returning('name')
        .executeTakeFirst();
      if (removed === undefined) return false;
      const details = { name: removed.name };
      await record(trx, { actor: accountId, action: 'account.passkey-remove', subject: accountId, details });
      return true;
    });
  }
}

function passkeyOf({ id, name, created_at, used_at }: Selectable<PasskeysTable>): Passkey {
  return { id, name, createdAt: created_at, usedAt: used_at };
}
