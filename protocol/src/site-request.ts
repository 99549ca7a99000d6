import { z } from 'zod';
import { digest, newNonce } from '#platform';
import { checkLifetime, nonceSchema, openAs, sha256Schema } from './envelope.ts';
import { RequestError } from './errors.ts';
import type { KeyId, Signer } from './keys.ts';
import { LIMITS } from './limits.ts';
import { signJson } from './signed.ts';

/**
 * How a program proves to a clearinghouse whose it is: `Authorization: Potluck JWS`, signed by the key of its account. The
 * JWS holds for one request only: this site, this method, this path, these bytes, once and for a short time.
 */
export const SITE_SCHEME = 'Potluck';

const TYPE = 'potluck-site-request';

const claimsSchema = z.strictObject({
  /** Where people reach the site, as the caller knows it, without a slash at its end: another site refuses. */
  audience: z.string().max(2048),
  method: z.string().max(16),
  /** With the query, from the first slash below the audience. */
  path: z.string().max(4096),
  /** Whose account is meant, when one key is that of several. */
  account: z.string().max(64).optional(),
  /** Seconds since the epoch. */
  iat: z.number(),
  exp: z.number(),
  nonce: nonceSchema,
  /** SHA-256 of the body, also when there is none. */
  sha256: sha256Schema,
});
type Claims = z.infer<typeof claimsSchema>;

export interface SiteRequestInit {
  readonly audience: string;
  readonly method: string;
  readonly path: string;
  readonly body?: Uint8Array;
  readonly account?: string | undefined;
  readonly lifetimeSeconds?: number;
}

/** A request to a clearinghouse whose signature, method, path, life time and body have been checked. */
export interface SiteRequest {
  /** The key that signed it. */
  readonly signer: KeyId;
  readonly audience: string;
  readonly account: string | undefined;
  readonly nonce: string;
  /** Seconds since the epoch, until which it could be taken again, were its nonce not remembered. */
  readonly until: number;
}

/** @returns the value of the `Authorization` header. */
export async function signSiteRequest(signer: Signer, init: SiteRequestInit): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const claims: Claims = {
    audience: init.audience,
    method: init.method,
    path: init.path,
    ...(init.account !== undefined && { account: init.account }),
    iat,
    exp: iat + (init.lifetimeSeconds ?? LIMITS.requestLifetimeSeconds / 2),
    nonce: newNonce(),
    sha256: await digest(init.body ?? new Uint8Array()),
  };
  return `${SITE_SCHEME} ${await signJson(signer, TYPE, claims)}`;
}

/**
 * Whether the audience is this site, whose account it is and whether the nonce is new are the caller's to check.
 * @param request as it came: `path` with its query, `body` as it was hashed.
 * @throws RequestError BAD_SIGNATURE, BAD_MESSAGE, EXPIRED, BAD_ATTACHMENT
 */
export async function verifySiteRequest(
  jws: string,
  request: { method: string; path: string; body: Uint8Array },
  nowSeconds: number,
): Promise<SiteRequest> {
  const { payload: claims, signer } = await openAs(jws, TYPE, claimsSchema);
  checkLifetime(claims, nowSeconds);
  if (claims.method !== request.method || claims.path !== request.path) {
    const got = `${claims.method} ${claims.path}`.slice(0, 200);
    throw new RequestError('BAD_MESSAGE', `expected a signature of ${request.method} of this path, got one of ${got}`);
  }
  if (claims.sha256 !== (await digest(request.body))) {
    throw new RequestError('BAD_ATTACHMENT', 'expected the body that was signed, got another');
  }
  const { audience, account, nonce, exp } = claims;
  return { signer, audience, account, nonce, until: exp + LIMITS.clockSkewSeconds };
}
