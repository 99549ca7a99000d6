import { PortalError } from '../errors.ts';
import type { Account } from './accounts.ts';
import { type Actor, record } from './audit.ts';
import { type Database, type Trx, transact } from './database.ts';
import { endLeases } from './ending.ts';
import type { Role } from './schema.ts';
import { endLogIns } from './sessions.ts';
import type { Tasks } from './tasks.ts';

/** What only administrators and the operator do; each act is one transaction, and in the audit log. */
export class Administration {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  /** @throws PortalError NO_SUCH_ACCOUNT */
  async setRole(actor: Actor, username: string, role: Role): Promise<void> {
    await transact(this.#db, async (trx) => {
      const { id } = await accountNamed(trx, username);
      await trx.updateTable('accounts').set({ role }).where('id', '=', id).execute();
      await record(trx, { actor, action: 'account.role', subject: id, details: { role } });
    });
  }

  /**
   * Lets an account do nothing any more: its sessions end, and each of its vessels is stopped and emptied.
   * @throws PortalError NO_SUCH_ACCOUNT, INVALID_REQUEST: it is an administrator's
   */
  async ban(actor: Actor, username: string, reason: string): Promise<void> {
    await transact(this.#db, async (trx) => {
      const { id, role, banned_at } = await accountNamed(trx, username);
      if (role === 'admin') {
        const message = `expected a user who is no administrator, got ${username}, who is one: take the role away first`;
        throw new PortalError('INVALID_REQUEST', message);
      }
      const now = Date.now();
      await trx
        .updateTable('accounts')
        .set({ banned_at: banned_at ?? now })
        .where('id', '=', id)
        .execute();
      await endLogIns(trx, id);
      await trx.deleteFrom('tokens').where('account_id', '=', id).execute();
      const ended = await endLeases(trx, this.#tasks, (eb) => eb('account_id', '=', id));
      await record(trx, { actor, action: 'account.ban', subject: id, details: { reason, vessels: ended.length } });
      for (const { node, name } of ended) {
        await record(trx, { actor, action: 'vessel.stop', subject: `${node}:${name}`, details: { holder: id } });
      }
    });
  }

  /** @throws PortalError NO_SUCH_ACCOUNT */
  async unban(actor: Actor, username: string): Promise<void> {
    await transact(this.#db, async (trx) => {
      const { id } = await accountNamed(trx, username);
      await trx.updateTable('accounts').set({ banned_at: null }).where('id', '=', id).execute();
      await record(trx, { actor, action: 'account.unban', subject: id });
    });
  }
}

async function accountNamed(trx: Trx, username: string): Promise<Account> {
  const account = await trx
    .selectFrom('accounts')
    .selectAll()
    .where('username_key', '=', username.toLowerCase())
    .executeTakeFirst();
  if (account !== undefined) return account;
  throw new PortalError('NO_SUCH_ACCOUNT', `expected the username of an account, got "${username.slice(0, 100)}"`);
}
