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
} as const;

const portRange = z.object({ first: z.number(), last: z.number() });

/** JSON form of `Restrictions`: sets as arrays. */
const restrictionsFrame = z.object({
  quantities: z.record(z.string(), z.number()),
  messport: z.array(z.number()),
  connport: z.array(z.number()),
  destinations: z.array(z.object({ action: z.enum(['allow', 'deny']), network: z.string(), ports: portRange })),
});

/** To the vessel process: the only frame of its life. */
export const startFrameSchema = z.strictObject({
  type: z.literal('start'),
  program: z.object({ name: z.string(), source: z.string() }),
  args: z.array(z.string()),
  /** The node's address: what `getmyip` answers. */
  address: z.string(),
  restrictions: restrictionsFrame,
});
export type StartFrame = z.infer<typeof startFrameSchema>;

/** From the vessel process: hostile, like everything that comes from there. */
export const vesselFrameSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('started') }),
  z.strictObject({ type: z.literal('log'), text: z.string().max(FRAME_LIMITS.logTextLength) }),
  z.strictObject({ type: z.literal('usage'), usage: z.record(z.string().max(32), z.number()) }),
  z.strictObject({ type: z.literal('ended'), ending: endingSchema }),
]);
export type VesselFrame = z.infer<typeof vesselFrameSchema>;
