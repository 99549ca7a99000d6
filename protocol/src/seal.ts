import { hkdfSync } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import type { Identity } from './identity.ts';
import { type KeyId, keyIdSchema } from './keys.ts';

const headerSchema = z.strictObject({
  alg: z.literal('dir'),
  enc: z.literal('A256GCM'),
  typ: z.string(),
  kid: keyIdSchema,
});

/**
 * Only who has the identity's private key can open it, and see that nobody changed it. The key is HKDF-SHA-256 (RFC 5869)
 * of the private part; each text has its own random nonce.
 * @returns a JWE in compact form (RFC 7516, direct encryption, A256GCM).
 */
export async function seal(identity: Identity, typ: string, bytes: Uint8Array): Promise<string> {
  return await new CompactEncrypt(bytes)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ, kid: identity.id })
    .encrypt(keyOf(identity, typ));
}

/** Whose key opens it; undefined for what is not a sealed text of this type. */
export function sealedFor(typ: string, text: string): KeyId | undefined {
  try {
    const header = headerSchema.safeParse(decodeProtectedHeader(text));
    return header.success && header.data.typ === typ ? header.data.kid : undefined;
  } catch {
    return undefined;
  }
}

/** @throws ConfigError SEAL_BROKEN: another key's, another type's, or changed */
export async function unseal(identity: Identity, typ: string, text: string): Promise<Uint8Array> {
  const key = sealedFor(typ, text);
  if (key !== identity.id) {
    const got = key === undefined ? 'something else' : `one for key ${key}`;
    throw new ConfigError('SEAL_BROKEN', `expected a ${typ} sealed for key ${identity.id}, got ${got}`);
  }
  try {
    const options = { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] };
    return (await compactDecrypt(text, keyOf(identity, typ), options)).plaintext;
  } catch (cause) {
    throw new ConfigError('SEAL_BROKEN', `expected a whole ${typ}, got one that was changed or cut`, { cause });
  }
}

function keyOf({ privateJwk }: Identity, typ: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', Buffer.from(privateJwk.d, 'base64url'), 'potluck-seal', typ, 32));
}
