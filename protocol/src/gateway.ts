import { z } from 'zod';
import { keyIdSchema } from './keys.ts';
import { gatewayAddressSchema } from './reach.ts';

/**
 * The gateway: a node dials the clearinghouse by wss, pinned to the clearinghouse's key, shows in the TLS handshake that it
 * holds its own, and sends its advertisement as one text message at once and again before each expiry. The clearinghouse
 * answers each with a `GatewayReply`, and may tell the node that somebody calls it (`RelayCall`).
 */
export const gatewayReplySchema = z.strictObject({
  ok: z.boolean(),
  /** Why the advertisement was refused. */
  message: z.string().max(1000).optional(),
});
export type GatewayReply = z.infer<typeof gatewayReplySchema>;

/** What the gateway may say beside its replies: somebody calls the node; it answers by dialling `answerPath`. */
export const relayCallSchema = z.strictObject({
  call: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  /** The caller's address, as the relay sees it. */
  from: z.string().max(64),
});
export type RelayCall = z.infer<typeof relayCallSchema>;

export const gatewayMessageSchema = z.union([gatewayReplySchema, relayCallSchema]);

export const GATEWAY = {
  /** Longest text message in either direction. */
  messageBytes: 64 * 1024,
  advertisementLifetimeSeconds: 60,
  advertiseEverySeconds: 20,
  /** What changes is said at once so many times, then gathered for so long: less than what a clearinghouse hears in a minute. */
  advertiseBurst: 8,
  advertiseEachMs: 4000,
  /** Redial waits: first, longest; doubled in between, with jitter. */
  redialFirstMs: 200,
  redialLongestMs: 30_000,
} as const;

/** `donation.json` in a donor's archive: where to report, and who will own the vessels. */
export const donationSchema = z.object({
  clearinghouse: z.url(),
  gateway: gatewayAddressSchema,
  /** The donor's name on the site, for messages only. */
  donor: z.string().max(64),
  /** The key that owns the donated vessels; the clearinghouse's backend holds its private part. */
  owner: keyIdSchema,
});
export type Donation = z.infer<typeof donationSchema>;
