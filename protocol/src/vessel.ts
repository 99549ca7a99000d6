import { z } from 'zod';
import { listOf } from './bounded.ts';
import { keyIdSchema } from './keys.ts';
import { LIMITS } from './limits.ts';

/** A vessel's name on its node: `v1`, `v2`, ... The number only grows. */
export const vesselNameSchema = z
  .string()
  .regex(/^v[1-9]\d{0,8}$/, 'expected a vessel name such as v1')
  .brand<'VesselName'>();
export type VesselName = z.infer<typeof vesselNameSchema>;

/**
 * A flat name: letters, digits, `.`, `_`, `-`; no leading dot, so no way out of the vessel's directory. What starts with
 * `private_` is the node's own, as in Seattle: for requests and programs it is not there.
 */
export const fileNameSchema = z
  .string()
  .regex(
    /^(?!private_)[a-z0-9_-][a-z0-9._-]{0,119}$/i,
    `expected a file name of 1 to ${LIMITS.fileNameLength} letters, digits, ".", "_" or "-", not starting with "." or "private_"`,
  )
  .brand<'FileName'>();
export type FileName = z.infer<typeof fileNameSchema>;

/**
 * `Fresh`: never run, or reset. `Started`: runs. `Stopped`: ended by a request. `Terminated`: ended by itself, an
 * error or a limit. `Stale`: it ran when the node manager went away, and its end was not seen.
 */
export const vesselStateSchema = z.enum(['Fresh', 'Started', 'Stopped', 'Terminated', 'Stale']);
export type VesselState = z.infer<typeof vesselStateSchema>;

/**
 * Why a program is no longer running.
 * `finished`: nothing was pending any more. `exitall`: it said so. `error`: an uncaught error. `refused`: the program
 * could not be compiled. `limit`: a resource ran out. `stopped`: a user said so. `crashed`: the vessel process broke
 * (engine failure, bad frame). `restart`: the node manager went away while it ran.
 */
export const endingSchema = z.object({
  kind: z.enum(['finished', 'exitall', 'error', 'refused', 'limit', 'stopped', 'crashed', 'restart']),
  /** One sentence for people. */
  message: z.string().max(2000),
  /** 0 for `finished` and `exitall`, else not 0. */
  exitCode: z.int().min(0).max(255),
  /** Set when `kind` is `limit`. Same unit as the restriction of that name. */
  limit: z.object({ resource: z.string().max(32), limit: z.number(), used: z.number() }).optional(),
});
export type Ending = z.infer<typeof endingSchema>;

/** What an owner notes about a vessel: one line of text. */
export const ownerInformationSchema = z
  .string()
  .max(LIMITS.ownerInformationLength)
  .regex(/^[^\p{Cc}\u2028\u2029]*$/u, 'expected one line of text, without control characters');

export const vesselInfoSchema = z.object({
  name: vesselNameSchema,
  state: vesselStateSchema,
  /** Milliseconds since the epoch at which `state` was entered; a `Date` can show it. */
  since: z.number().min(0).max(8.64e15),
  ending: endingSchema.optional(),
  program: z
    .string()
    .refine((name) => fileNameSchema.safeParse(name).success, 'expected the name of a file')
    .optional(),
  owner: keyIdSchema,
  users: listOf(keyIdSchema, LIMITS.usersPerVessel),
  ownerInformation: ownerInformationSchema,
  /** Whether the node says under its owner's and its users' keys where it is. */
  advertise: z.boolean(),
});
export type VesselInfo = z.infer<typeof vesselInfoSchema>;
