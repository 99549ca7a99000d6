import { z } from 'zod';
import { PeerError } from './errors.ts';
import type { Identity } from './identity.ts';
import { parseJson } from './json.ts';
import { type KeyId, keyIdSchema } from './keys.ts';
import { LIMITS } from './limits.ts';
import { reachSchema } from './reach.ts';
import { labelsSchema } from './rules.ts';
import { openSigned, signJson } from './signed.ts';

/** What a node says of itself: where it is, and for which keys (owners and users) it hosts vessels. */
export const advertisementSchema = z.object({
  ...reachSchema.shape,
  keys: z.array(keyIdSchema).max(LIMITS.advertisedKeys),
  version: z.string().max(32),
  /** What its operator calls it, for those who choose nodes by it. */
  labels: labelsSchema.default([]),
  /** Whole seconds since the epoch. */
  iat: z.int(),
  exp: z.int(),
});
export type Advertisement = z.infer<typeof advertisementSchema>;

const TYPE = 'potluck-advertisement';

/** @param lifetimeSeconds until when readers may believe it; at most `LIMITS.advertisementLifetimeSeconds`. */
export async function signAdvertisement(
  identity: Identity,
  facts: Omit<z.input<typeof advertisementSchema>, 'iat' | 'exp'>,
  lifetimeSeconds: number,
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const payload: z.input<typeof advertisementSchema> = { ...facts, iat, exp: iat + lifetimeSeconds };
  return await signJson(identity, TYPE, payload);
}

/** @throws PeerError BAD_REPLY: not signed, not of this shape, or expired. */
export async function verifyAdvertisement(jws: string): Promise<{ node: KeyId; advertisement: Advertisement }> {
  const signed = await openSigned(jws).catch((cause: unknown) => {
    throw new PeerError('BAD_REPLY', 'expected a signed advertisement, got something else', { cause });
  });
  const parsed = advertisementSchema.safeParse(parseJson(new TextDecoder().decode(signed.payload)));
  if (signed.typ !== TYPE || !parsed.success) {
    throw new PeerError('BAD_REPLY', 'expected a signed advertisement, got another signed text');
  }
  const { iat, exp } = parsed.data;
  const nowSeconds = Date.now() / 1000;
  const tooLong = exp - iat > LIMITS.advertisementLifetimeSeconds;
  if (tooLong || exp + LIMITS.clockSkewSeconds < nowSeconds || iat - LIMITS.clockSkewSeconds > nowSeconds) {
    throw new PeerError('BAD_REPLY', 'expected an advertisement that is valid now, got one that is not');
  }
  return { node: signed.signer, advertisement: parsed.data };
}
