import { z } from 'zod';

/** A list of which no element is looked at when there are more: each wrong one would be told of, and they cost next to nothing to send. */
export function listOf<T extends z.ZodType>(item: T, most: number) {
  return z.array(z.unknown()).max(most).pipe(z.array(item));
}

/** As `listOf`, of what goes by names. */
export function recordOf<T extends z.ZodType>(value: T, most: number) {
  return z
    .record(z.string(), z.unknown())
    .refine((record) => Object.keys(record).length <= most, `expected at most ${most} names`)
    .pipe(z.record(z.string(), value));
}
