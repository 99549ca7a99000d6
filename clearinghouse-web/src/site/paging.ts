import { z } from 'zod';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { entriesSchema } from './schemas.ts';

/** The query of every list: how many rows, and after which one. */
export const pageQuerySchema = z.object({
  limit: z.coerce
    .number({ error: 'expected a number of rows' })
    .int('expected a whole number of rows')
    .min(1, 'expected at least 1 row')
    .max(LIMITS.pageLongest, `expected at most ${LIMITS.pageLongest} rows`)
    .default(LIMITS.pageUsual),
  cursor: z.string().max(LIMITS.cursorLength, `expected at most ${LIMITS.cursorLength} characters`).optional(),
});
export type PageQuery = z.infer<typeof pageQuerySchema>;

/** A list's result: `next` is there when it goes on, and is given back as `cursor`. */
export const nextSchema = z.string().max(LIMITS.cursorLength).optional();

/**
 * Where a list goes on: what the row before it is sorted by. Its text is nobody's business but this site's.
 * @returns undefined at the beginning. @throws PortalError INVALID_REQUEST
 */
export function afterOf<T extends z.ZodType>({ cursor }: PageQuery, schema: T): z.infer<T> | undefined {
  if (cursor === undefined) return undefined;
  const key = schema.safeParse(parsed(cursor));
  if (key.success && entriesSchema.safeParse({ cursor: key.data }).success) return key.data;
  throw new PortalError(
    'INVALID_REQUEST',
    'cursor: expected what the answer before said in "next", got something else',
    {
      details: { fields: { cursor: 'expected what the answer before said in "next"' } },
    },
  );
}

/**
 * One page of rows of which one more than `limit` was asked for.
 * @param keyOf what the rows are sorted by, and what tells them apart: strings and numbers.
 */
export function pageOf<T>(rows: readonly T[], { limit }: PageQuery, keyOf: (row: T) => readonly (string | number)[]) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = rows.length > limit && last !== undefined ? encode(keyOf(last)) : undefined;
  return { items, next };
}

/** One page of a list that is read whole because it is short: its keys must be in the order of the list. */
export function sliceOf<T>(all: readonly T[], query: PageQuery, keyOf: (row: T) => string) {
  const after = afterOf(query, z.tuple([z.string()]))?.[0];
  const start = after === undefined ? 0 : all.findIndex((row) => keyOf(row) === after) + 1;
  return pageOf(all.slice(start, start + query.limit + 1), query, (row) => [keyOf(row)]);
}

function encode(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
