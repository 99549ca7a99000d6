import { creditsSchema, keyIdSchema, vesselNameSchema } from '@potluck/protocol';
import { z } from 'zod';
import type { LedgerEntry } from '../store/ledger.ts';
import { afterOf, nextSchema, type PageQuery, pageOf, pageQuerySchema } from './paging.ts';
import type { Page, Route, Visit } from './route.ts';
import { nothingSchema } from './schemas.ts';
import { memberOf } from './session.ts';

const reasonSchema = z.enum([
  ...['registration', 'policy', 'donation', 'donation-away', 'donation-policy', 'acquire'],
  ...['hand-back', 'release', 'expire', 'stop', 'vessel-gone'],
] as LedgerEntry['why'][]);

const entrySchema = z.object({
  /** From 1 on, without a gap. */
  number: z.int(),
  at: z.int(),
  /** Given, or taken if it is below nothing. */
  amount: z.int(),
  /** The sum of all amounts up to this one. */
  balance: z.int(),
  why: reasonSchema,
  /** The machine that it is about, and the vessel on it. */
  node: keyIdSchema.nullable(),
  vessel: vesselNameSchema.nullable(),
});

/** One page of an account's ledger, the newest line first. */
export const statementSchema = z.object({ credits: creditsSchema, entries: z.array(entrySchema), next: nextSchema });

export const listCredits: Route<object, PageQuery> = {
  method: 'get',
  path: '/account/credits',
  summary: 'Each change of the credits of the account, and why; the newest first.',
  access: 'user',
  scope: 'account',
  body: nothingSchema,
  query: pageQuerySchema,
  result: statementSchema,
  handle: async (visit, _body, query) => {
    const page: Page = { view: 'credits', title: 'Credits' };
    return await statementOf(visit, { accountId: memberOf(visit).account.id, query, page });
  },
};

/** @param page shows it. */
export async function statementOf(
  { store }: Visit,
  { accountId, query, page }: { accountId: string; query: PageQuery; page: Page },
) {
  const [before] = afterOf(query, z.tuple([z.int()])) ?? [];
  const { entries: rows } = await store.ledger.statement(accountId, { limit: query.limit + 1, before });
  const { items, next } = pageOf(rows, query, ({ number }) => [number]);
  const entries = items.map(entryOf);
  const credits = await store.leases.credits(accountId);
  const { creditsPerDonation } = await store.policies.current();
  const data = { ...page.data, credits, entries, next, query: {}, creditsPerDonation };
  return { json: { credits, entries }, next, page: { ...page, data } };
}

function entryOf({ subject, ...rest }: LedgerEntry): z.infer<typeof entrySchema> {
  const [node, vessel] = subject?.split(':') ?? [];
  return entrySchema.parse({ ...rest, node: node ?? null, vessel: vessel ?? null });
}
