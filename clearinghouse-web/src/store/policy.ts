import { QUANTITY_NAMES } from '@potluck/protocol';
import { z } from 'zod';
import { POLICY } from '../limits.ts';
import type { Policy } from '../policy.ts';
import { SLICE } from '../slice.ts';
import type { Database, Trx } from './database.ts';

const rowSchema = z.object({
  freeCredits: z.number(),
  creditsPerDonation: z.number(),
  firstLeaseMs: z.number(),
  renewalMs: z.number(),
  warningMs: z.number(),
  firstUserPort: z.number(),
  lastUserPort: z.number(),
  /** A policy of before there was one to choose says nothing of it. */
  slice: z.record(z.enum([...QUANTITY_NAMES, 'ports']), z.number()).default(SLICE),
});

/**
 * The policy stands in the database, so that all processes of a clearinghouse follow the same one, and so that what a
 * new one changes is written to the ledger with it.
 */
export async function policyOf(db: Database | Trx): Promise<Required<Policy>> {
  const row = await db.selectFrom('policy').select('text').where('id', '=', 1).executeTakeFirst();
  return row === undefined ? { ...POLICY, slice: SLICE } : rowSchema.parse(JSON.parse(row.text));
}
