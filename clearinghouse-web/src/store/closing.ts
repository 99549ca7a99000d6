import { randomBytes } from 'node:crypto';
import type { KeyId } from '@potluck/protocol';
import { sql } from 'kysely';
import { PortalError } from '../errors.ts';
import type { Account } from './accounts.ts';
import { type Actor, record } from './audit.ts';
import { forgetNode } from './care.ts';
import { type Database, type Trx, transact } from './database.ts';
import { type Ended, endHoldings } from './ending.ts';
import { type Acting, mustBeOpen } from './open.ts';
import { hashOf } from './secrets.ts';
import { endLogIns } from './sessions.ts';
import type { Tasks } from './tasks.ts';

/** Machines that one sweep forgets. */
const SWEPT = 100;

export interface Closure {
  /** The account itself, or the administrator who deletes it. */
  readonly actor: Actor;
  readonly account: Acting;
  /** Of an administrator. */
  readonly reason?: string;
}

/** The deletion of accounts, and what is left to do when their donors are gone. */
export class Closing {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  /**
   * Deletes an account: its vessels are emptied, its machines offered to nobody any more, and all that says who it was is
   * removed. Its row stays without a name, for the ledger and the audit log. Nobody can take its username: what others
   * have granted to that name must not be a stranger's.
   * @throws PortalError NO_SUCH_ACCOUNT, WRONG_PASSWORD, LAST_ADMINISTRATOR, INVALID_REQUEST: it is another administrator's
   */
  async close({ actor, account: acting, reason }: Closure): Promise<void> {
    await transact(this.#db, async (trx) => {
      const accountId = await mustBeOpen(trx, acting);
      const account = await trx
        .selectFrom('accounts')
        .selectAll()
        .where('id', '=', accountId)
        .executeTakeFirstOrThrow();
      const isOwn = actor === accountId;
      if (account.role === 'admin') await mustNotAdministrate(trx, account, isOwn);
      const why = isOwn ? 'release' : 'stop';
      const vessels = await endHoldings(trx, this.#tasks, { which: (eb) => eb('account_id', '=', accountId), why });
      const machines = await drainDonated(trx, accountId);
      await removePerson(trx, account);
      const details = { ...(reason !== undefined && { reason }), vessels: vessels.length, machines: machines.length };
      await record(trx, { actor, action: 'account.delete', subject: accountId, details });
      await recordVessels(trx, vessels, { actor, why });
      for (const node of machines) {
        const why = 'its donor’s account was deleted';
        await record(trx, { actor, action: 'node.drain', subject: node, details: { why } });
      }
    });
  }

  /** Forgets machines whose donors were deleted, as soon as nobody has anything on them. @returns whether there were any. */
  async forgetLeft(): Promise<boolean> {
    const due = await leftBehind(this.#db).limit(SWEPT).execute();
    for (const { id } of due) await transact(this.#db, async (trx) => await forgetOne(trx, id));
    return due.length > 0;
  }
}

/** @throws PortalError LAST_ADMINISTRATOR, INVALID_REQUEST */
async function mustNotAdministrate(trx: Trx, { id, username }: Account, isOwn: boolean): Promise<void> {
  if (!isOwn) {
    const message = `expected a user who is no administrator, got ${username}, who is one: take the role away first`;
    throw new PortalError('INVALID_REQUEST', message);
  }
  const other = await trx
    .selectFrom('accounts')
    .select('id')
    .where('role', '=', 'admin')
    .where('id', '!=', id)
    .where('banned_at', 'is', null)
    .executeTakeFirst();
  if (other !== undefined) return;
  const message = 'expected another administrator to be left, got none: have the operator make one first';
  throw new PortalError('LAST_ADMINISTRATOR', message);
}

/** Whoever holds a vessel on them keeps it until its lease ends. */
async function drainDonated(trx: Trx, accountId: string): Promise<KeyId[]> {
  const mine = trx.selectFrom('donations').select('node_id').where('account_id', '=', accountId);
  const rows = await trx.updateTable('nodes').set({ draining: 1 }).where('id', 'in', mine).returning('id').execute();
  return rows.map(({ id }) => id);
}

async function removePerson(trx: Trx, { id, username_key }: Account): Promise<void> {
  await endLogIns(trx, id);
  for (const table of ['tokens', 'passkeys', 'acquisitions'] as const) {
    await trx.deleteFrom(table).where('account_id', '=', id).execute();
  }
  const nobody = {
    username: `deleted-${id}`,
    username_key: reservedKey(username_key),
    ...{ email: null, password: '', public_x: '', key_id: '' as KeyId, user_port: null, role: 'user' as const },
    // Machines may dial in with its donor key still: it stays, to be known by.
    donor_token: randomBytes(16).toString('base64url'),
    closed_at: Date.now(),
  };
  await trx.updateTable('accounts').set(nobody).where('id', '=', id).execute();
}

/** What stands in the place of a username that nobody may have any more; it looks like no username. */
export function reservedKey(usernameKey: string): string {
  return `sha256:${hashOf(usernameKey)}`;
}

async function recordVessels(trx: Trx, vessels: readonly Ended[], by: { actor: Actor; why: 'release' | 'stop' }) {
  for (const { node, name, accountId: holder, wasLeased } of vessels) {
    if (!wasLeased) continue;
    const entry = { actor: by.actor, action: `vessel.${by.why}`, subject: `${node}:${name}` } as const;
    await record(trx, { ...entry, ...(by.why === 'stop' && { details: { holder } }) });
  }
}

/**
 * Drained machines of deleted accounts on which no vessel is held, nor to be emptied. One that is gone stays known until it
 * is back and emptied: a former holder's program would run on it still.
 */
function leftBehind(db: Database | Trx) {
  return db
    .selectFrom('nodes')
    .innerJoin('donations', 'donations.node_id', 'nodes.id')
    .innerJoin('accounts', 'accounts.id', 'donations.account_id')
    .select('nodes.id')
    .where('nodes.draining', '=', sql.lit(1))
    .where('accounts.closed_at', 'is not', null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('vessels')
            .select('name')
            .whereRef('vessels.node_id', '=', 'nodes.id')
            .where(({ or, eb }) =>
              or([eb('vessels.account_id', 'is not', null), eb('vessels.state', '=', 'cleaning')]),
            ),
        ),
      ),
    );
}

async function forgetOne(trx: Trx, node: KeyId): Promise<void> {
  const still = await leftBehind(trx).where('nodes.id', '=', node).executeTakeFirst();
  if (still === undefined) return;
  const why = 'its donor’s account was deleted, and nobody has anything on it';
  await forgetNode(trx, node, why);
  await record(trx, { actor: 'site', action: 'node.forget', subject: node, details: { why } });
}
