import { keyIdSchema, vesselNameSchema } from '@potluck/protocol';
import { z } from 'zod';

/**
 * Everything that is said on the bus. A message is news, never the truth: it says where to look, and what is so stands in
 * the database.
 */
export const SUBJECTS = {
  /** There may be something in the queue for a backend. */
  'tasks.waiting': z.strictObject({}),
  /** A task has ended, well or not. */
  'task.ended': z.strictObject({ task: z.int(), kind: z.string(), subject: z.string(), done: z.boolean() }),
  /** A node came, went, moved, or has other vessels than before; without its id, any may have. */
  'node.changed': z.strictObject({ node: keyIdSchema.optional() }),
  /** What an account holds is not what it was, or the state of a vessel is not; without either, of any. */
  'vessel.changed': z.strictObject({
    account: z.string().optional(),
    node: keyIdSchema.optional(),
    vessel: vesselNameSchema.optional(),
  }),
} as const;

export type Subject = keyof typeof SUBJECTS;
export type MessageOf<S extends Subject> = z.infer<(typeof SUBJECTS)[S]>;

/** One message with its subject, as it crosses from one process to another. */
export type News = { [S in Subject]: { readonly subject: S; readonly message: MessageOf<S> } }[Subject];

/** @returns undefined when it is not news that this version knows. */
export function newsOf(value: unknown): News | undefined {
  const named = z.looseObject({ subject: z.string(), message: z.unknown() }).safeParse(value);
  if (!named.success || !Object.hasOwn(SUBJECTS, named.data.subject)) return undefined;
  const subject = named.data.subject as Subject;
  const message = SUBJECTS[subject].safeParse(named.data.message);
  return message.success ? ({ subject, message: message.data } as News) : undefined;
}
