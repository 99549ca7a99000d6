import type { KeyId } from '@potluck/protocol';
import { sql } from 'kysely';
import { PortalError } from '../errors.ts';
import { type Actor, record } from './audit.ts';
import { type Database, type Trx, transact } from './database.ts';
import { endRest } from './due.ts';
import { endLeases } from './ending.ts';
import type { VesselRef } from './holdings.ts';
import { endDonation } from './ledger.ts';
import { advance } from './life.ts';
import type { NodeLife } from './schema.ts';
import type { Tasks } from './tasks.ts';

/** What an operator does with a node; each act is one transaction, and in the audit log. */
export class Care {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  /**
   * Gives nobody anything on the node any more; it is empty when the last lease on it has ended.
   * @throws PortalError NO_SUCH_NODE, INVALID_REQUEST: it is to be offered again, and its donor was deleted
   */
  async drain(actor: Actor, node: KeyId, draining: boolean): Promise<void> {
    await transact(this.#db, async (trx) => {
      await lifeOf(trx, node);
      if (!draining) await mustHaveDonor(trx, node);
      await trx
        .updateTable('nodes')
        .set({ draining: draining ? 1 : 0 })
        .where('id', '=', node)
        .execute();
      await record(trx, { actor, action: draining ? 'node.drain' : 'node.undrain', subject: node });
    });
  }

  /** Believes a broken node anew, and has it looked at. @throws PortalError NO_SUCH_NODE, INVALID_REQUEST: it is not broken */
  async retry(actor: Actor, node: KeyId): Promise<void> {
    await transact(this.#db, async (trx) => {
      const life = await lifeOf(trx, node);
      if (life !== 'broken') throw wrongLife('a broken node', life);
      await record(trx, { actor, action: 'node.retry', subject: node });
      await advance(trx, node, 'retry', 'an administrator wants it to be tried again');
      await this.#tasks.addOnce(trx, { kind: 'inspect-node', subject: `node:${node}`, node, payload: { node } });
    });
  }

  /**
   * Has a task that waits to be tried again tried now; its node's rest ends, or it would not be.
   * @throws PortalError NO_SUCH_THING: it does not wait
   */
  async hasten(actor: Actor, task: number): Promise<void> {
    const now = Date.now();
    await transact(this.#db, async (trx) => {
      const row = await trx
        .updateTable('tasks')
        .set({ run_at: now })
        .where('id', '=', task)
        .where('state', '=', 'waiting')
        .returning(['kind', 'subject', 'node_id'])
        .executeTakeFirst();
      if (row === undefined) throw new PortalError('NO_SUCH_THING', `expected a task that waits, got ${task}`);
      if (row.node_id !== null) await endRest(trx, row.node_id, now);
      await record(trx, { actor, action: 'task.retry', subject: row.subject, details: { kind: row.kind } });
    });
  }

  /**
   * Forgets that a node has ever donated: its leases end, and its vessels are no more. Should it come back, it is new.
   * @throws PortalError NO_SUCH_NODE, INVALID_REQUEST: it is of use
   */
  async forget(actor: Actor, node: KeyId): Promise<void> {
    await transact(this.#db, async (trx) => {
      const life = await lifeOf(trx, node);
      if (life !== 'broken' && life !== 'gone') throw wrongLife('a broken or gone node', life);
      await mustHaveDonor(trx, node);
      const ended = await endLeases(trx, this.#tasks, (eb) => eb('node_id', '=', node));
      await forgetNode(trx, node, 'an administrator has forgotten it');
      await record(trx, { actor, action: 'node.forget', subject: node, details: { from: life, leases: ended.length } });
    });
  }
}

/** A node gives nothing any more, and is empty: should it come back, it is new. @param why for the operator. */
export async function forgetNode(trx: Trx, node: KeyId, why: string): Promise<void> {
  await trx.deleteFrom('vessels').where('node_id', '=', node).execute();
  await endDonation(trx, node);
  const facts = { life: null, life_since: Date.now(), life_reason: why, draining: 0 };
  await trx.updateTable('nodes').set(facts).where('id', '=', node).execute();
}

async function lifeOf(trx: Trx, node: KeyId): Promise<NodeLife> {
  const row = await trx.selectFrom('nodes').select('life').where('id', '=', node).executeTakeFirst();
  if (row !== undefined && row.life !== null) return row.life;
  throw new PortalError('NO_SUCH_NODE', `expected a node that has been donated, got ${node}`);
}

async function mustHaveDonor(trx: Trx, node: KeyId): Promise<void> {
  const left = await trx
    .selectFrom('donations')
    .innerJoin('accounts', 'accounts.id', 'donations.account_id')
    .select('node_id')
    .where('node_id', '=', node)
    .where('closed_at', 'is not', null)
    .executeTakeFirst();
  if (left === undefined) return;
  const message = 'expected a machine of somebody, got one whose donor’s account was deleted: it goes when it is empty';
  throw new PortalError('INVALID_REQUEST', message);
}

function wrongLife(expected: string, got: NodeLife): PortalError {
  return new PortalError('INVALID_REQUEST', `expected ${expected}, got one that is ${got}`);
}

/** Leases on a node that is drained end when they end. @returns those of these that are on such nodes. */
export async function drainedOf(trx: Trx, refs: readonly VesselRef[]): Promise<VesselRef[]> {
  if (refs.length === 0) return [];
  const drained = await trx.selectFrom('nodes').select('id').where('draining', '=', sql.lit(1)).execute();
  const nodes = new Set(drained.map(({ id }) => id));
  return refs.filter(({ node }) => nodes.has(node));
}

export function drainingError(refs: readonly VesselRef[]): PortalError {
  const on = refs.map(({ node, name }) => `${node}:${name}`);
  const message = `expected vessels on machines that stay, got ${on.length} on machines that are being drained: ${on.join(', ')}; renew the others, and acquire new ones for these`;
  return new PortalError('DRAINING', message, { details: { handles: on } });
}
