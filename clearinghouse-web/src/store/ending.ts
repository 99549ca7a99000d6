import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Trx } from './database.ts';
import type { VesselRef } from './holdings.ts';
import type { Tables } from './schema.ts';
import type { Tasks } from './tasks.ts';

/** The fence grows, so that whoever still acts for the former holder is turned away. */
export const RELEASED = {
  state: 'cleaning' as const,
  fence: sql<number>`fence + 1`,
  account_id: null,
  attempt: null,
  expires_at: null,
};

/** A lease that was ended, and whose it was. */
export interface Ended extends VesselRef {
  readonly accountId: string;
}

type Which = (eb: ExpressionBuilder<Tables, 'vessels'>) => Expression<SqlBool>;

/**
 * Ends the leases that are chosen, and reservations under way: the vessels are emptied on their nodes, as soon as these
 * are there, and offered again after that.
 */
export async function endLeases(trx: Trx, tasks: Tasks, which: Which): Promise<Ended[]> {
  const held = await trx
    .selectFrom('vessels')
    .select(['node_id as node', 'name', 'account_id as accountId'])
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
  return held.map(({ accountId, ...ref }) => ({ ...ref, accountId: accountId ?? '' }));
}
