import { z } from 'zod';
import { LIMITS } from '../../limits.ts';

/** A form sends an empty field as an empty text. */
export const optionalText = z.preprocess(
  (value) => (value === '' ? undefined : value),
  z.string().max(LIMITS.searchLength, `expected at most ${LIMITS.searchLength} characters`).optional(),
);

/** Which page of a list: `cursor` is what the page before gave as `next`. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LIMITS.pageRows).default(50),
  cursor: optionalText,
});

/** @param rows one more than asked for, if there are more. */
export function pageOf<T>(rows: readonly T[], limit: number, cursorOf: (row: T) => string) {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
