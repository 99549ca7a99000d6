import type { KeyId } from '@potluck/protocol';
import { record } from './audit.ts';
import { forgetNode } from './care.ts';
import type { Trx } from './database.ts';
import { endLeases } from './ending.ts';
import type { Tasks } from './tasks.ts';

/** A donor's key, and whose it was. */
export interface LostKey {
  readonly id: string;
  readonly donor_key: KeyId | null;
  /** Of an account that was deleted: it needs no other key. */
  readonly closed_at: number | null;
}

/**
 * The private parts of these keys are lost, so that nobody can hand over or empty what they own: their machines are no
 * donations any more, whoever holds a vessel there gets his credit back, and each donor gets another key to install with.
 */
export async function giveUpKeys(trx: Trx, tasks: Tasks, lost: readonly LostKey[]): Promise<void> {
  for (const { id, closed_at } of lost) {
    const rows = await trx.selectFrom('donations').select('node_id').where('account_id', '=', id).execute();
    for (const { node_id: node } of rows) {
      const why = 'its donor’s key was lost';
      const ended = await endLeases(trx, tasks, (eb) => eb('node_id', '=', node));
      await forgetNode(trx, node, why);
      const details = { why, leases: ended.length };
      await record(trx, { actor: 'operator', action: 'node.forget', subject: node, details });
    }
    await trx.updateTable('accounts').set({ donor_key: null }).where('id', '=', id).execute();
    if (closed_at !== null) continue;
    await tasks.add(trx, { kind: 'make-donor-key', subject: `account:${id}`, payload: { account: id } });
  }
}
