import { z } from 'zod';
import { openAs } from './envelope.ts';
import { RequestError } from './errors.ts';
import { type PublicJwk, publicJwkSchema, type Signer } from './keys.ts';
import { signJson } from './signed.ts';

/** How long a proof holds; its signer may have to carry it by hand from a shell to a page. */
export const KEY_PROOF_SECONDS = 3600;
const SKEW_SECONDS = 300;

const TYPE = 'potluck-key-proof';

const claimsSchema = z.strictObject({
  /** The site that it is made for, without a slash at its end. */
  audience: z.string().max(2048),
  /** Who claims the key: a username there, or the CSRF token of the session that does. */
  subject: z.string().max(256),
  /** Seconds since the epoch. */
  iat: z.number(),
});

export interface KeyProofInit {
  readonly audience: string;
  readonly subject: string;
}

/** A public key, and for whom its owner has said that it is his. */
export interface KeyProof extends KeyProofInit {
  readonly publicJwk: PublicJwk;
}

/**
 * A line by which whoever has a private key says to which account of which site it belongs. Nobody else can, so that
 * nobody can register a key that is somebody else's; the key stands in the line's own header.
 */
export async function signKeyProof(signer: Signer, { audience, subject }: KeyProofInit): Promise<string> {
  return await signJson(signer, TYPE, { audience, subject, iat: Math.floor(Date.now() / 1000) });
}

/**
 * For which site and whom it is made, is the caller's to check.
 * @throws RequestError BAD_SIGNATURE, BAD_MESSAGE, EXPIRED
 */
export async function verifyKeyProof(jws: string, nowSeconds: number): Promise<KeyProof> {
  const { payload } = await openAs(jws, TYPE, claimsSchema);
  const { iat, ...claims } = payload;
  if (iat + KEY_PROOF_SECONDS < nowSeconds || iat - SKEW_SECONDS > nowSeconds) {
    throw new RequestError('EXPIRED', `expected a proof of the last ${KEY_PROOF_SECONDS / 60} minutes, got another`);
  }
  return { ...claims, publicJwk: keyIn(jws) };
}

/** Its signature has been checked against this very key. */
function keyIn(jws: string): PublicJwk {
  const header: unknown = JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString());
  return z.object({ jwk: publicJwkSchema }).parse(header).jwk;
}
