import { z } from 'zod';
import { LIMITS } from '../../limits.ts';

/** A form sends an empty field as an empty text. */
export const optionalText = z.preprocess(
  (value) => (value === '' ? undefined : value),
  z.string().max(LIMITS.searchLength, `expected at most ${LIMITS.searchLength} characters`).optional(),
);
