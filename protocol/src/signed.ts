import { CompactSign, compactVerify, EmbeddedJWK } from 'jose';
import { z } from 'zod';
import { PeerError } from './errors.ts';
import { type Identity, type KeyId, keyIdOf, publicJwkSchema } from './identity.ts';

/** Nothing else is taken, so that no member of a header can change how a text is read. */
const headerSchema = z.strictObject({ alg: z.literal('EdDSA'), typ: z.string(), jwk: publicJwkSchema.strict() });

/** @returns a JWS in compact form (RFC 7515, EdDSA by RFC 8037) whose protected header carries the public key. */
export async function signJson(identity: Identity, typ: string, payload: object): Promise<string> {
  return await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'EdDSA', typ, jwk: identity.publicJwk })
    .sign(identity.privateKey);
}

/**
 * The bytes that were signed, the type that they were signed as, and by which key; whose key it is says the caller.
 * @throws PeerError BAD_REPLY (another header), and what `jose` throws.
 */
export async function openSigned(jws: string): Promise<{ typ: string; payload: Uint8Array; signer: KeyId }> {
  const { payload, protectedHeader } = await compactVerify(jws, EmbeddedJWK, { algorithms: ['EdDSA'] });
  const header = headerSchema.safeParse(protectedHeader);
  if (!header.success)
    throw new PeerError('BAD_REPLY', 'expected a header of alg, typ and an Ed25519 jwk, got another');
  const { typ, jwk } = header.data;
  return { typ, payload, signer: keyIdOf(jwk) };
}
