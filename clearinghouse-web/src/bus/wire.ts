import { keyIdSchema } from '@potluck/protocol';
import { z } from 'zod';

const record = z.record(z.string(), z.unknown());

/**
 * One notice. `n` counts up, for PostgreSQL folds equal notices of one transaction into one. Beside news for all there
 * are questions and answers between two sites, and the word of one who may have lost what he had to say.
 */
export const wireSchema = z.union([
  z.object({ n: z.int(), news: z.unknown() }),
  z.object({ n: z.int(), gap: z.literal(true) }),
  z.object({ n: z.int(), ask: z.string(), from: z.int(), node: keyIdSchema, question: record }),
  z.object({ n: z.int(), answer: z.string(), value: record }),
  z.object({
    n: z.int(),
    answer: z.string(),
    code: z.enum(['NO_SUCH_NODE', 'REFUSED', 'TOO_LARGE']),
    message: z.string(),
  }),
]);
type Wire = z.infer<typeof wireSchema>;
type Ask = Extract<Wire, { ask: string }>;
type Answer = Extract<Wire, { answer: string }>;

/** Without its number, which the bus gives it. */
type Unnumbered<W> = W extends Wire ? Omit<W, 'n'> : never;
export type Words = Unnumbered<Wire>;
export type { Answer, Ask };
