import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { LedgerReason } from './credits.ts';
import type { Trx } from './database.ts';
import type { VesselRef } from './holdings.ts';
import { type Posting, post } from './ledger.ts';
import type { Tables } from './schema.ts';
import type { Tasks } from './tasks.ts';

/** The fence grows, so that whoever still acts for the former holder is turned away. */
const RELEASED = {
  state: 'cleaning' as const,
  fence: sql<number>`fence + 1`,
  account_id: null,
  attempt: null,
  expires_at: null,
};

/** A lease that was ended, and whose it was. */
export interface Ended extends VesselRef {
  readonly accountId: string;
  /** False for a reservation of an acquisition under way. */
  readonly wasLeased: boolean;
}

type Which = (eb: ExpressionBuilder<Tables, 'vessels'>) => Expression<SqlBool>;

/** Ends the leases that are chosen, and reservations under way, whoever holds them: somebody stops them. */
export async function endLeases(trx: Trx, tasks: Tasks, which: Which): Promise<Ended[]> {
  return await endHoldings(trx, tasks, { which, why: 'stop' });
}

/**
 * The one way in which a holding ends: the vessels are emptied on their nodes, as soon as these are there, and offered
 * again after that; their holders get their credits back.
 */
export async function endHoldings(
  trx: Trx,
  tasks: Tasks,
  { which, why }: { readonly which: Which; readonly why: LedgerReason },
): Promise<Ended[]> {
  const held = await trx
    .selectFrom('vessels')
    .select(['node_id as node', 'name', 'account_id as accountId', 'state'])
    .where('account_id', 'is not', null)
    .where(which)
    .execute();
  for (const { node, name } of held) {
    const { fence } = await trx
      .updateTable('vessels')
      .set(RELEASED)
      .where('node_id', '=', node)
      .where('name', '=', name)
      .returning('fence')
      .executeTakeFirstOrThrow();
    const payload = { node, vessel: name, fence };
    await tasks.add(trx, { kind: 'reset-vessel', subject: `vessel:${node}:${name}`, node, payload });
  }
  const ended = held.map(({ node, name, accountId, state }): Ended => {
    return { node, name, accountId: accountId ?? '', wasLeased: state === 'leased' };
  });
  const postings = ended.map(({ node, name, accountId, wasLeased }): Posting => {
    return { accountId, amount: 1, why: wasLeased ? why : 'hand-back', subject: `${node}:${name}` };
  });
  await post(trx, postings);
  return ended;
}
