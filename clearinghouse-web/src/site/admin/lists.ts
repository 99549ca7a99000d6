import { z } from 'zod';
import { LIMITS } from '../../limits.ts';
import { isPlain } from '../../plain.ts';
import type { AuditRecord } from '../../store/audit.ts';
import type { Store } from '../../store/store.ts';

/** A form sends an empty field as an empty text. */
export const optionalText = z.preprocess(
  (value) => (value === '' ? undefined : value),
  z.string().max(LIMITS.searchLength, `expected at most ${LIMITS.searchLength} characters`).optional(),
);

/** Why somebody did something; he is asked for it, because others will ask him. */
export const reasonSchema = z.object({
  reason: z
    .string({ error: 'expected a reason' })
    .trim()
    .min(1, 'expected a reason')
    .max(LIMITS.reasonLength, `expected a reason of at most ${LIMITS.reasonLength} characters`)
    .refine(isPlain, 'expected a reason in one line, without characters that control or turn it'),
});

/** The names of the accounts in these entries, for pages. */
export async function namesIn(store: Store, entries: readonly AuditRecord[]): Promise<Map<string, string>> {
  const ids = entries.flatMap(({ actor, subject, details: { holder } }) => [actor, subject, String(holder ?? '')]);
  return await store.overview.names([...new Set(ids)]);
}

/** What a page says after an act, by the name that stands in the address. */
export function noticeOf(notices: Readonly<Record<string, string>>, notice: string | undefined): string | undefined {
  return notice !== undefined && Object.hasOwn(notices, notice) ? notices[notice] : undefined;
}
