import type { KeyId } from '@potluck/protocol';
import { record } from './audit.ts';
import type { Trx } from './database.ts';
import { settleDonations } from './ledger.ts';
import type { NodeLife } from './schema.ts';

/** What can happen to a node. */
export type NodeEvent =
  /** It has dialled in and names a donor's key. */
  | 'seen'
  /** It was looked at: all of its donated vessels are as they should be. */
  | 'good'
  /** It was looked at: vessels are to be split before they are offered. */
  | 'large'
  /** It was looked at: nothing on it is donated, and nothing was. */
  | 'empty'
  /** It was looked at: what it had donated is no more, or less than it was. */
  | 'lied'
  /** A step has failed so often that it is not tried any more. */
  | 'failed'
  /** It was not seen for so long that nobody waits for it. */
  | 'absent'
  /** The operator wants it to be tried again. */
  | 'retry';

type Row = Readonly<Partial<Record<NodeEvent, NodeLife | null>>>;

/**
 * The life of a donated node, whole: what is not here does not happen. `none` is a node that donates nothing, so that
 * nobody keeps count of it.
 */
export const TRANSITIONS: Readonly<Record<NodeLife | 'none', Row>> = {
  none: { seen: 'accepting', good: 'offered', large: 'splitting' },
  accepting: { good: 'offered', large: 'splitting', empty: null, failed: 'broken', absent: 'gone' },
  splitting: { good: 'offered', lied: 'broken', failed: 'broken', absent: 'gone' },
  offered: { large: 'splitting', lied: 'broken', failed: 'broken', absent: 'gone' },
  broken: { good: 'offered', large: 'splitting', empty: null, absent: 'gone', retry: 'accepting' },
  gone: { seen: 'accepting' },
};

/** @returns the state after it, the same where nothing happens by it. */
export function after(state: NodeLife | null, event: NodeEvent): NodeLife | null {
  const next = TRANSITIONS[state ?? 'none'][event];
  return next === undefined ? state : next;
}

/**
 * Writes down what has happened to a node, in the transaction of whoever found it.
 * @param why for the operator. @returns the state from now on
 */
export async function advance(trx: Trx, node: KeyId, event: NodeEvent, why: string): Promise<NodeLife | null> {
  const row = await trx.selectFrom('nodes').select('life').where('id', '=', node).executeTakeFirst();
  if (row === undefined) return null;
  const to = after(row.life, event);
  if (to === row.life) return to;
  const facts = { life: to, life_since: Date.now(), life_reason: why };
  await trx.updateTable('nodes').set(facts).where('id', '=', node).execute();
  const actor = event === 'seen' || event === 'absent' ? 'site' : 'backend';
  const details = { from: row.life ?? 'none', event, why };
  await record(trx, { actor, action: `node.${to ?? 'none'}`, subject: node, details });
  await settleDonations(trx, node);
  return to;
}
