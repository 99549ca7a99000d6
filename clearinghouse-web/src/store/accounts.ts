import { randomBytes, randomUUID } from 'node:crypto';
import { type KeyId, keyIdOf, type PublicJwk } from '@potluck/protocol';
import type { Selectable } from 'kysely';
import { PortalError } from '../errors.ts';
import { record } from './audit.ts';
import { reservedKey } from './closing.ts';
import { type Database, type Trx, transact } from './database.ts';
import { post } from './ledger.ts';
import { type Acting, mustBeOpen } from './open.ts';
import { policyOf } from './policy.ts';
import type { AccountsTable } from './schema.ts';
import { endLogIns, type Kept } from './sessions.ts';
import type { Tasks } from './tasks.ts';

export type Account = Selectable<AccountsTable>;

export interface NewAccount {
  readonly username: string;
  readonly email: string | undefined;
  /** Argon2id as a PHC string. */
  readonly passwordHash: string;
  readonly publicKey: PublicJwk;
}

export class Accounts {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  /** Makes the account and queues its donor key. @throws PortalError USERNAME_TAKEN */
  async create(account: NewAccount): Promise<Account> {
    return await transact(this.#db, async (trx) => {
      const username_key = account.username.toLowerCase();
      const taken = await trx
        .selectFrom('accounts')
        .select('id')
        .where('username_key', 'in', [username_key, reservedKey(username_key)])
        .executeTakeFirst();
      if (taken !== undefined) {
        throw new PortalError('USERNAME_TAKEN', `expected a username that is free, got "${account.username}"`);
      }
      const row = await trx
        .insertInto('accounts')
        .values({
          id: randomUUID(),
          username: account.username,
          username_key,
          email: account.email ?? null,
          password: account.passwordHash,
          public_x: account.publicKey.x,
          key_id: keyIdOf(account.publicKey),
          donor_token: randomBytes(16).toString('base64url'),
          created_at: Date.now(),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      const { freeCredits } = await policyOf(trx);
      await post(trx, [{ accountId: row.id, amount: freeCredits, why: 'registration' }]);
      await this.#tasks.add(trx, {
        kind: 'make-donor-key',
        subject: `account:${row.id}`,
        payload: { account: row.id },
      });
      return row;
    });
  }

  /** Changes the password, and logs out everywhere but in this browser. @throws PortalError NO_SUCH_ACCOUNT, WRONG_PASSWORD */
  async setPassword(account: Acting, passwordHash: string, kept: Kept): Promise<void> {
    await transact(this.#db, async (trx) => {
      const id = await mustBeOpen(trx, account);
      await trx.updateTable('accounts').set({ password: passwordHash }).where('id', '=', id).execute();
      await record(trx, { actor: id, action: 'account.password', subject: id });
      await endLogIns(trx, id, kept);
    });
  }

  /**
   * Takes another key. Each vessel that the account holds is handed to it, also those whose nodes are away now: the old
   * key is none of their users any more.
   * @throws PortalError NO_SUCH_ACCOUNT, WRONG_PASSWORD, INVALID_REQUEST: it is the key that the account has
   */
  async changeKey(account: Acting, publicKey: PublicJwk): Promise<void> {
    await transact(this.#db, async (trx) => {
      const id = await mustBeOpen(trx, account);
      const key_id = keyIdOf(publicKey);
      const before = await trx.selectFrom('accounts').select('key_id').where('id', '=', id).executeTakeFirstOrThrow();
      if (before.key_id === key_id) {
        throw new PortalError('INVALID_REQUEST', 'keyProof: expected another key than the one that the account has');
      }
      await trx.updateTable('accounts').set({ key_id, public_x: publicKey.x }).where('id', '=', id).execute();
      const held = trx.selectFrom('vessels').select(['node_id', 'name', 'fence']).where('account_id', '=', id);
      for (const { node_id: node, name: vessel, fence } of await held.execute()) {
        const subject = `vessel:${node}:${vessel}`;
        await this.#tasks.add(trx, { kind: 'rekey-vessel', subject, node, payload: { node, vessel, fence } });
      }
      // Without the keys: the log forgets nothing, and of a deleted account nothing may say whose it was.
      await record(trx, { actor: id, action: 'account.key', subject: id });
    });
  }

  async byUsername(username: string): Promise<Account | undefined> {
    return await this.#db
      .selectFrom('accounts')
      .selectAll()
      .where('username_key', '=', username.toLowerCase())
      .executeTakeFirst();
  }

  /** In the order of their registration: one person may use one key for several accounts. */
  async byKey(key: KeyId): Promise<Account[]> {
    return await this.#db
      .selectFrom('accounts')
      .selectAll()
      .where('key_id', '=', key)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
  }

  async byId(id: string): Promise<Account | undefined> {
    return await this.#db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst();
  }

  async byDonorToken(token: string): Promise<Account | undefined> {
    return await this.#db.selectFrom('accounts').selectAll().where('donor_token', '=', token).executeTakeFirst();
  }

  async setDonorKey(trx: Trx, id: string, key: KeyId): Promise<void> {
    await trx.updateTable('accounts').set({ donor_key: key }).where('id', '=', id).execute();
  }

  /** Which of these keys are donors', and whose. */
  async donorsOf(keys: readonly KeyId[]): Promise<Map<KeyId, string>> {
    if (keys.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('accounts')
      .select(['id', 'donor_key'])
      .where('donor_key', 'in', keys)
      .execute();
    return new Map(rows.map(({ id, donor_key }) => [donor_key as KeyId, id]));
  }
}
