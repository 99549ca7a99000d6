import { z } from 'zod';
import { listOf, recordOf } from './bounded.ts';
import { nonceSchema } from './envelope.ts';
import { keyIdSchema } from './keys.ts';
import { LIMITS } from './limits.ts';
import {
  endingSchema,
  fileNameSchema,
  ownerInformationSchema,
  vesselInfoSchema,
  vesselNameSchema,
  vesselStateSchema,
} from './vessel.ts';

/** Who may call: anybody with a key, the keys in a vessel's users (and its owner), its owner alone. */
export type Permission = 'anyone' | 'user' | 'owner';

export interface Method<P extends z.ZodType, R extends z.ZodType> {
  readonly permission: Permission;
  readonly params: P;
  readonly result: R;
  /** Which side attaches bytes to its message. */
  readonly attachment: 'none' | 'request' | 'reply';
}

function method<P extends z.ZodType, R extends z.ZodType>(m: Method<P, R>): Method<P, R> {
  return m;
}

const ofVessel = z.strictObject({ vessel: vesselNameSchema });
const ofFile = z.strictObject({ vessel: vesselNameSchema, name: fileNameSchema });
const fileInfo = z.object({ name: fileNameSchema, size: z.number(), sha256: z.string() });
const newState = z.object({ state: vesselStateSchema });

/** The requests that a node answers: the one table from which the server and every client derive. */
export const METHODS = {
  GetVessels: method({
    permission: 'anyone',
    params: z.strictObject({}),
    result: z.object({
      version: z.string(),
      node: keyIdSchema,
      /** The walls of DESIGN section 5 that are up on this node, outermost last; `missing` says which are not, and why. */
      walls: z.object({ up: listOf(z.string(), LIMITS.listed), missing: listOf(z.string(), LIMITS.listed) }),
      /** Security layers of the node's owner, under which every program runs; the first is next to the API. */
      layers: listOf(z.string(), LIMITS.listed).default([]),
      /** As Node names them: `linux`, `x64`; `unknown` of a node that does not say. */
      os: z.string().max(32).default('unknown'),
      arch: z.string().max(32).default('unknown'),
      vessels: listOf(vesselInfoSchema, LIMITS.listed),
    }),
    attachment: 'none',
  }),
  GetVesselResources: method({
    permission: 'anyone',
    params: ofVessel,
    /** `restrictions` is the text form; `usage` has what is held or used now, by resource name. */
    result: z.object({ restrictions: z.string(), usage: recordOf(z.number(), LIMITS.listed) }),
    attachment: 'none',
  }),
  /** What a split costs, in the text form of restrictions. */
  GetOffcutResources: method({
    permission: 'anyone',
    params: z.strictObject({}),
    result: z.object({ restrictions: z.string() }),
    attachment: 'none',
  }),
  /** Gives the node, as a directory, what a node says of itself, to be held until it expires. */
  Advertise: method({
    permission: 'anyone',
    params: z.strictObject({ advertisement: z.string().max(LIMITS.advertisementBytes) }),
    /** In seconds since the epoch. */
    result: z.object({ expires: z.int() }),
    attachment: 'none',
  }),
  /**
   * What the node holds, as a directory, of the nodes that a key names or that host vessels for it, and what it says of
   * itself. The attachment has one signed advertisement a line; the caller verifies each.
   */
  LookUp: method({
    permission: 'anyone',
    params: z.strictObject({ key: keyIdSchema }),
    result: z.object({ advertisements: z.int() }),
    attachment: 'reply',
  }),
  AddFileToVessel: method({ permission: 'user', params: ofFile, result: fileInfo, attachment: 'request' }),
  ListFilesInVessel: method({
    permission: 'user',
    params: ofVessel,
    result: z.object({ files: listOf(fileInfo, LIMITS.filesPerVessel) }),
    attachment: 'none',
  }),
  RetrieveFileFromVessel: method({ permission: 'user', params: ofFile, result: fileInfo, attachment: 'reply' }),
  DeleteFileInVessel: method({
    permission: 'user',
    params: ofFile,
    result: z.object({ name: fileNameSchema }),
    attachment: 'none',
  }),
  StartVessel: method({
    permission: 'user',
    params: z.strictObject({
      vessel: vesselNameSchema,
      program: fileNameSchema,
      args: listOf(z.string().max(LIMITS.programArgumentLength), LIMITS.programArguments),
    }),
    /** `logFrom` is where in the vessel's log the program's own lines begin. */
    result: newState.extend({ logFrom: z.int().min(0) }),
    attachment: 'none',
  }),
  StopVessel: method({ permission: 'user', params: ofVessel, result: newState, attachment: 'none' }),
  ResetVessel: method({ permission: 'user', params: ofVessel, result: newState, attachment: 'none' }),
  /**
   * The attachment is what is kept of the log as UTF-8, `droppedBytes` how much came before it and is kept no longer, and
   * `next` where the log goes on: places in a log count the bytes since the vessel was made, also over a reset.
   *
   * With `follow` the node answers by a row of replies as lines are written, until the program that runs has ended and
   * all of its log was sent; the last reply has the vessel's state and how the program ended. Where no program runs it
   * sends what is there, and ends. In a row, `droppedBytes` is what is missing before this attachment.
   */
  ReadVesselLog: method({
    permission: 'user',
    params: z.strictObject({
      vessel: vesselNameSchema,
      /** Where to begin: `next` of the reply that was read last. Without it, with the oldest that is kept. */
      from: z.int().min(0).optional(),
      follow: z.literal(true).optional(),
      /** Ends the row of replies that a request of this nonce gets on the same connection. */
      leave: nonceSchema.optional(),
    }),
    result: z.object({
      droppedBytes: z.int().min(0),
      next: z.int().min(0),
      state: vesselStateSchema.optional(),
      ending: endingSchema.optional(),
    }),
    attachment: 'reply',
  }),
  ChangeUsers: method({
    permission: 'owner',
    params: z.strictObject({ vessel: vesselNameSchema, users: listOf(keyIdSchema, LIMITS.usersPerVessel) }),
    result: z.object({ users: listOf(keyIdSchema, LIMITS.usersPerVessel) }),
    attachment: 'none',
  }),
  /** Clears the owner's information and advertises again, as in Seattle; the users stay. */
  ChangeOwner: method({
    permission: 'owner',
    params: z.strictObject({ vessel: vesselNameSchema, owner: keyIdSchema }),
    result: z.object({ owner: keyIdSchema }),
    attachment: 'none',
  }),
  ChangeOwnerInformation: method({
    permission: 'owner',
    params: z.strictObject({ vessel: vesselNameSchema, text: ownerInformationSchema }),
    result: z.object({ ownerInformation: ownerInformationSchema }),
    attachment: 'none',
  }),
  ChangeAdvertise: method({
    permission: 'owner',
    params: z.strictObject({ vessel: vesselNameSchema, advertise: z.boolean() }),
    result: z.object({ advertise: z.boolean() }),
    attachment: 'none',
  }),
  /**
   * How long a TCP connection from the node to there takes, at best; null where none was taken in time. The node connects
   * only where programs may, whatever their restrictions.
   */
  MeasureLatency: method({
    permission: 'owner',
    params: z.strictObject({ vessel: vesselNameSchema, address: z.string().max(64), port: z.int().min(1).max(65_535) }),
    result: z.object({ ms: z.number().min(0).nullable() }),
    attachment: 'none',
  }),
  /** Two new, empty vessels in the place of one that does not run: what was asked for, and the rest without the offcut. */
  SplitVessel: method({
    permission: 'owner',
    params: z.strictObject({ vessel: vesselNameSchema, restrictions: z.string().max(LIMITS.restrictionsBytes) }),
    result: z.object({ wanted: vesselNameSchema, rest: vesselNameSchema }),
    attachment: 'none',
  }),
  /** One new, empty vessel in the place of two of one owner that do not run; it gets the offcut back. */
  JoinVessels: method({
    permission: 'owner',
    params: z.strictObject({ vessel: vesselNameSchema, other: vesselNameSchema }),
    result: z.object({ vessel: vesselNameSchema }),
    attachment: 'none',
  }),
} as const;

export type MethodName = keyof typeof METHODS;
export type Params<M extends MethodName> = z.infer<(typeof METHODS)[M]['params']>;
export type Result<M extends MethodName> = z.infer<(typeof METHODS)[M]['result']>;

export function isMethodName(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}
