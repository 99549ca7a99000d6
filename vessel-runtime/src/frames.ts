import { endingSchema } from '@potluck/protocol';
import { z } from 'zod';

/** Limits of the pipe between a node manager and a vessel process; see ARCHITECTURE.md. */
export const FRAME_LIMITS = {
  /** Any frame from the vessel process. */
  fromVesselBytes: 64 * 1024,
  /** Any frame to the vessel process: it carries the program. */
  toVesselBytes: 16 * 1024 * 1024,
  /** Characters of one `log` frame. */
  logTextLength: 16 * 1024,
  /** From spawn to `ready`. */
  readyMs: 15_000,
  /** From `stop` to SIGKILL. */
  stopMs: 2000,
  /** Bytes that one call or one reply attaches. */
  attachedBytes: 1024 * 1024,
  /** Calls of one vessel process that are not answered yet. */
  callsAtOnce: 64,
  /** What they attach, and what they ask to have attached, together. */
  callsBytes: 2 * 1024 * 1024,
  /** Characters of one argument of a call. */
  callTextLength: 1024,
} as const;

const portRange = z.object({ first: z.number(), last: z.number() });

const destinations = z.array(z.object({ action: z.enum(['allow', 'deny']), network: z.string(), ports: portRange }));

/** JSON form of `Restrictions`: sets as arrays. */
const restrictionsFrame = z.object({
  quantities: z.record(z.string(), z.number()),
  messport: z.array(z.number()),
  connport: z.array(z.number()),
  destinations,
});

/** To the vessel process: the first frame, once in its life. */
export const startFrameSchema = z.strictObject({
  type: z.literal('start'),
  program: z.object({ name: z.string(), source: z.string() }),
  /** What it runs under, from the one next to the API. */
  layers: z.array(z.object({ name: z.string(), source: z.string() })).optional(),
  args: z.array(z.string()),
  /** The node's address: what `getmyip` answers; '' when it has none. */
  address: z.string(),
  network: z.object({
    /** Where programs may listen. */
    addresses: z.array(z.string()),
    /** All addresses of the machine, with the prefix lengths of their networks. */
    interfaces: z.array(z.string()),
    /** The node owner's, for all vessels. */
    rules: destinations,
  }),
  restrictions: restrictionsFrame,
});
export type StartFrame = z.infer<typeof startFrameSchema>;

/** To the vessel process, any number of times: the answer to one of its calls, `attached` bytes after it. */
export interface ReplyFrame {
  readonly type: 'reply';
  readonly id: number;
  readonly value?: string | number | boolean;
  /** One of the names in `FAILURES`: the call failed. */
  readonly failure?: string;
  readonly message?: string;
  readonly usage?: UsageFrame['usage'];
  readonly attached?: number;
}

/** To the vessel process: what its node manager knows better of the resources in use, by their names. */
export interface UsageFrame {
  readonly type: 'usage';
  readonly usage: Readonly<Record<string, number>>;
}

/** To the vessel process: pairs of when it was stopped and for how long, in milliseconds of the monotonic clock. */
export interface StopsFrame {
  readonly type: 'stops';
  readonly stops: readonly number[];
}

/** To the vessel process, at most once, and only when its program asked for it: it ends within `FRAME_LIMITS.stopMs`. */
export interface StopFrame {
  readonly type: 'stop';
  readonly reason: 'stopped' | 'node stops';
}

export type ToVesselFrame = StartFrame | ReplyFrame | UsageFrame | StopsFrame | StopFrame;

const argumentSchema = z.union([z.string().max(FRAME_LIMITS.callTextLength), z.number(), z.boolean(), z.null()]);
const bytesSchema = z.int().min(0).max(FRAME_LIMITS.attachedBytes).optional();

/** What a program needs its node manager for. `attached` bytes follow it; the reply may attach as many as `room`. */
const callFrameSchema = z.strictObject({
  type: z.literal('call'),
  id: z.int().min(1),
  operation: z.string().max(32),
  arguments: z.array(argumentSchema).max(8),
  attached: bytesSchema,
  room: bytesSchema,
});
export type CallFrame = z.infer<typeof callFrameSchema>;

/** From the vessel process: hostile, like everything that comes from there. */
export const vesselFrameSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('started') }),
  z.strictObject({ type: z.literal('onstop') }),
  z.strictObject({ type: z.literal('log'), text: z.string().max(FRAME_LIMITS.logTextLength) }),
  z.strictObject({ type: z.literal('usage'), usage: z.record(z.string().max(32), z.number()) }),
  callFrameSchema,
  z.strictObject({ type: z.literal('ended'), ending: endingSchema }),
]);
export type VesselFrame = z.infer<typeof vesselFrameSchema>;
