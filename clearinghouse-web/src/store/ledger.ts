import type { KeyId } from '@potluck/protocol';
import { sql } from 'kysely';
import type { LedgerReason, LedgerTable } from './credits.ts';
import type { Database, Trx } from './database.ts';
import { policyOf } from './policy.ts';

/** Rows in one statement: a database takes only so many values at once. */
const BATCH = 100;

export interface Posting {
  readonly accountId: string;
  /** Credits given, or taken. */
  readonly amount: number;
  readonly why: LedgerReason;
  /** Which vessel (`NODEID:v1`) or node it is about. */
  readonly subject?: string;
}

/** One line of an account's statement. */
export type LedgerEntry = Omit<LedgerTable, 'account_id'>;

/**
 * Writes postings behind what each account's ledger has, in the transaction of what they are about. Nothing in it is ever
 * changed: the balance of the last entry is the sum of all, and what an account may still acquire.
 */
export async function post(trx: Trx, postings: readonly Posting[]): Promise<void> {
  const at = Date.now();
  for (const [accountId, theirs] of Map.groupBy(postings, (posting) => posting.accountId)) {
    let { number, balance } = await lastOf(trx, accountId);
    const rows = theirs.map(({ amount, why, subject = null }) => {
      number += 1;
      balance += amount;
      return { account_id: accountId, number, at, amount, balance, why, subject };
    });
    while (rows.length > 0) await trx.insertInto('ledger').values(rows.splice(0, BATCH)).execute();
  }
}

/** What an account may still acquire; below nothing when a donation went away that its vessels were held by. */
export async function balanceOf(db: Database | Trx, accountId: string): Promise<number> {
  return (await lastOf(db, accountId)).balance;
}

/** Donations that have become active or ceased to be, since the ledger was told. */
export async function unsettledDonations(db: Database | Trx, node?: KeyId) {
  const { creditsPerDonation } = await policyOf(db);
  const due = sql<number>`CASE WHEN nodes.connected = 1 AND nodes.advertised_until > ${Date.now()}
    AND nodes.life IN ('splitting', 'offered') THEN ${sql.lit(creditsPerDonation)} ELSE 0 END`;
  return await db
    .selectFrom('donations')
    .innerJoin('nodes', 'nodes.id', 'donations.node_id')
    .select(['donations.node_id', 'donations.account_id', 'donations.credited', due.as('due')])
    .where(sql<boolean>`donations.credited <> ${due}`)
    .$if(node !== undefined, (query) => query.where('donations.node_id', '=', node as KeyId))
    .execute();
}

/**
 * Gives credits for donations that have become active, and takes them for those that no longer are.
 * @param node only this one's.
 */
export async function settleDonations(trx: Trx, node?: KeyId): Promise<void> {
  const unsettled = await unsettledDonations(trx, node);
  const postings = unsettled.map((row): Posting => {
    const amount = Number(row.due) - row.credited;
    const why = Number(row.due) === 0 ? 'donation-away' : row.credited === 0 ? 'donation' : 'donation-policy';
    return { accountId: row.account_id, amount, why, subject: row.node_id };
  });
  await post(trx, postings);
  for (const { node_id, due } of unsettled) {
    await trx
      .updateTable('donations')
      .set({ credited: Number(due) })
      .where('node_id', '=', node_id)
      .execute();
  }
}

/** A node is no longer a donation: to be called before its row goes. */
export async function endDonation(trx: Trx, node: KeyId): Promise<void> {
  const row = await trx.selectFrom('donations').selectAll().where('node_id', '=', node).executeTakeFirst();
  if (row === undefined) return;
  const { account_id: accountId, credited } = row;
  if (credited !== 0) await post(trx, [{ accountId, amount: -credited, why: 'donation-away', subject: node }]);
  await trx.deleteFrom('donations').where('node_id', '=', node).execute();
}

async function lastOf(db: Database | Trx, accountId: string): Promise<{ number: number; balance: number }> {
  const row = await db
    .selectFrom('ledger')
    .select(['number', 'balance'])
    .where('account_id', '=', accountId)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? { number: 0, balance: 0 };
}
