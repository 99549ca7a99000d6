import { keyIdSchema, vesselNameSchema } from '@potluck/protocol';
import { z } from 'zod';

const ofVessel = { node: keyIdSchema, vessel: vesselNameSchema, fence: z.int() };

/** How far a vessel may be from a host, by its node's own measurement. */
const latencySchema = z.strictObject({
  address: z.string().max(64),
  port: z.int().min(1).max(65_535),
  ms: z.number(),
  not: z.boolean(),
  /** It is so by estimate: enough of a node that cannot measure. */
  estimated: z.boolean(),
});
export type LatencyWish = z.infer<typeof latencySchema>;

/**
 * What the site may ask the backend for: nothing else can be put in words that the backend understands. Whose key a vessel
 * is given to, and into what a node is split, is not in a task: the backend finds it itself.
 */
export const taskSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('make-donor-key'), account: z.string() }),
  z.strictObject({ kind: z.literal('inspect-node'), node: keyIdSchema }),
  z.strictObject({ kind: z.literal('split-node'), node: keyIdSchema }),
  z.strictObject({ kind: z.literal('change-users'), ...ofVessel, latency: latencySchema.optional() }),
  /** As `change-users`, of a vessel that is held already: until it is done. */
  z.strictObject({ kind: z.literal('rekey-vessel'), ...ofVessel }),
  z.strictObject({ kind: z.literal('reset-vessel'), ...ofVessel }),
]);
export type Task = z.infer<typeof taskSchema>;
export type TaskOf<K extends Task['kind']> = Extract<Task, { kind: K }>;
