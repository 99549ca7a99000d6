import { z } from 'zod';
import { digest } from '#platform';

/** RFC 7638 SHA-256 thumbprint of an Ed25519 public key: 43 characters of base64url. It is the key's name everywhere. */
export const keyIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'expected a key id: 43 characters of base64url')
  .brand<'KeyId'>();
export type KeyId = z.infer<typeof keyIdSchema>;

/** The last character holds 4 bits only: other spellings of the same bytes would give one key several ids. */
const base64url32 = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'expected 32 bytes in base64url');

/** RFC 8037 public key. Unknown members are dropped, so that no private part can slip through. */
export const publicJwkSchema = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url32 });
export type PublicJwk = z.infer<typeof publicJwkSchema>;

export const privateJwkSchema = publicJwkSchema.extend({ d: base64url32 });
export type PrivateJwk = z.infer<typeof privateJwkSchema>;

/** Who can sign, wherever the private key is kept. */
export interface Signer {
  readonly id: KeyId;
  readonly publicJwk: PublicJwk;
  /** @returns the 64 bytes of an Ed25519 signature. */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** The thumbprint of RFC 7638 section 3, before it is hashed: the required members in lexical order. */
export function canonicalJwk({ crv, kty, x }: PublicJwk): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ crv, kty, x }));
}

/** `keyIdOf` of Node, wherever this runs. */
export async function keyIdFrom(jwk: PublicJwk): Promise<KeyId> {
  return (await digest(canonicalJwk(jwk))) as KeyId;
}
