import { z } from 'zod';
import { keyIdSchema } from './keys.ts';
import { addressSchema, reachSchema } from './reach.ts';
import { RULE_KINDS } from './rules.ts';
import { vesselNameSchema } from './vessel.ts';

/** The JSON that a clearinghouse and the programs of its users speak: one schema for both sides. */

/** Which vessels one acquisition gives: of different networks, of one network, behind a relay, or any. */
export const acquireTypeSchema = z.enum(['random', 'wan', 'lan', 'nat']);
export type AcquireType = z.infer<typeof acquireTypeSchema>;

/** A vessel that an account holds. */
export const heldVesselSchema = z.object({
  /** `NODEID:v1` */
  handle: z.string(),
  node: keyIdSchema,
  vessel: vesselNameSchema,
  /** The first of its node's addresses; a node behind a relay has none. */
  address: addressSchema.optional(),
  reach: reachSchema,
  active: z.boolean(),
  /** Milliseconds since the epoch. */
  expiresAt: z.int(),
  /** From then on its user is warned of it. */
  warnAt: z.int(),
  messports: z.array(z.int()),
  connports: z.array(z.int()),
});
export type HeldVessel = z.infer<typeof heldVesselSchema>;

export const creditsSchema = z.object({ total: z.int(), used: z.int() });

/** `GET /vessels`, and what renewing and releasing leave. */
export const holdingsSchema = z.object({
  credits: creditsSchema,
  /** Which every vessel owns that the account can be given it on; null before the first acquisition. */
  userPort: z.int().nullable(),
  vessels: z.array(heldVesselSchema),
});
export type Holdings = z.infer<typeof holdingsSchema>;

/** What the clearinghouse gives to whom, and for how long. */
export const termsSchema = z.object({
  freeCredits: z.int(),
  creditsPerDonation: z.int(),
  firstLeaseMs: z.int(),
  renewalMs: z.int(),
  /** A lease that ends within this time is warned of. */
  warningMs: z.int(),
});
export type Terms = z.infer<typeof termsSchema>;

/** `GET /account` */
export const accountSchema = z.object({
  username: z.string(),
  keyId: keyIdSchema,
  userPort: z.int().nullable(),
  credits: creditsSchema,
  terms: termsSchema,
  /** While an administrator has stopped everything: since when, and why. */
  stopped: z.object({ since: z.int(), reason: z.string() }).optional(),
});
export type AccountFacts = z.infer<typeof accountSchema>;

/** `POST /vessels/acquire` */
export const acquiredSchema = z.object({ vessels: z.array(heldVesselSchema) });

const amountSchema = z.union([z.object({ km: z.number() }), z.object({ ms: z.number() })]);

/**
 * `details` of `UNABLE_TO_ACQUIRE`: what could not be met, and by how much. Of a rule about distance or time also how near
 * the nearest miss comes, and how much that is past the rule.
 */
export const shortageSchema = z.object({
  wanted: z.int(),
  /** The most that were found at once, and how many that is too few. */
  found: z.int(),
  short: z.int(),
  /** What `found` and `short` count: each different owner or network has one vessel of them. */
  unit: z.enum(['vessels', 'owners', 'networks']),
  /** The kind of the rule that is in the way; nothing when too few are free by any rule. */
  rule: z.enum([...RULE_KINDS, 'own-port']).optional(),
  /** The rule itself, such as `apart=500km`. */
  text: z.string().optional(),
  nearest: amountSchema.optional(),
  off: amountSchema.optional(),
});
export type ShortageFacts = z.infer<typeof shortageSchema>;

/** What an API token may be for; each route of the site that takes tokens names one. */
export const scopeSchema = z.enum(['account', 'vessels:read', 'vessels:write', 'donations', 'admin']);
export type Scope = z.infer<typeof scopeSchema>;

/** Before the secret part of each API token, so that one which has leaked is known for what it is. */
export const TOKEN_PREFIX = 'potluck_';

/** Seattle's five kinds of fault: what a program has to tell apart. */
export const problemKindSchema = z.enum([
  'internal',
  'authentication',
  'invalid_request',
  'not_enough_credits',
  'unable_to_acquire',
]);
export type ProblemKind = z.infer<typeof problemKindSchema>;

/** RFC 9457; every refusal has this form. */
export const problemSchema = z.object({
  type: z.string().max(200),
  title: z.string().max(200),
  status: z.int(),
  detail: z.string().max(4000),
  code: z.string().max(64),
  kind: problemKindSchema,
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
