import { keyIdSchema, reachSchema, vesselNameSchema } from '@potluck/protocol';
import { z } from 'zod';
import { nextSchema } from '../paging.ts';

/** What the routes of administrators answer to programs. */
export const lifeSchema = z.enum(['accepting', 'splitting', 'offered', 'broken', 'gone']);

const userSchema = z.object({
  id: z.string(),
  username: z.string(),
  email: z.string().nullable(),
  keyId: keyIdSchema,
  role: z.enum(['user', 'admin']),
  /** Since when; null for who is not banned. */
  bannedAt: z.int().nullable(),
  createdAt: z.int(),
  held: z.int(),
  donated: z.int(),
});

const leaseSchema = z.object({
  node: keyIdSchema,
  vessel: vesselNameSchema,
  state: z.enum(['free', 'reserved', 'leased', 'cleaning']),
  holder: z.string().nullable(),
  expiresAt: z.int().nullable(),
});

const nodeSchema = z.object({
  node: keyIdSchema,
  reach: reachSchema,
  life: lifeSchema.nullable(),
  since: z.int(),
  /** What brought it there. */
  reason: z.string().nullable(),
  draining: z.boolean(),
  connected: z.boolean(),
  firstSeen: z.int(),
  lastSeen: z.int(),
  donor: z.string().nullable(),
  vessels: z.int(),
  held: z.int(),
});

const entrySchema = z.object({
  id: z.string(),
  at: z.int(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  details: z.record(z.string(), z.unknown()),
});

export const usersSchema = z.object({ users: z.array(userSchema), next: nextSchema });
export const nodesSchema = z.object({ nodes: z.array(nodeSchema), next: nextSchema });
export const leasesSchema = z.object({ leases: z.array(leaseSchema), next: nextSchema });
export const auditSchema = z.object({ entries: z.array(entrySchema), next: nextSchema });
export const oneUserSchema = z.object({
  user: userSchema,
  leases: z.array(leaseSchema),
  history: z.array(entrySchema),
});
export const oneNodeSchema = z.object({
  node: nodeSchema,
  vessels: z.array(leaseSchema),
  history: z.array(entrySchema),
});

const healthSchema = z.object({
  nodes: z.record(lifeSchema, z.int()),
  away: z.int(),
  draining: z.int(),
  vessels: z.record(z.enum(['free', 'reserved', 'leased', 'cleaning']), z.int()),
  queue: z.object({ waiting: z.int(), oldestMs: z.int(), retried: z.int(), failed: z.int() }),
});

const stoppedSchema = z.object({ since: z.int(), actor: z.string(), reason: z.string() });

export const siteSchema = z.object({
  health: healthSchema,
  troubles: z.array(
    z.object({
      id: z.int(),
      kind: z.string(),
      subject: z.string(),
      state: z.enum(['waiting', 'claimed', 'done', 'failed']),
      attempts: z.int(),
      error: z.string().nullable(),
      /** The code of the error. */
      cause: z.string().nullable(),
      at: z.int(),
    }),
  ),
  /** While everything is stopped: by whom, and how many vessels are not stopped yet. */
  stopped: stoppedSchema.extend({ left: z.int() }).nullable(),
});
