import type { IncomingMessage } from 'node:http';
import { networksOf, RequestError, SITE_SCHEME, type SiteRequest, verifySiteRequest } from '@potluck/protocol';
import type { Request } from 'express';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Account } from '../store/accounts.ts';
import type { Store } from '../store/store.ts';
import type { Signed } from './route.ts';

/** The bytes of each body as they came, for their hash. */
const bodies = new WeakMap<IncomingMessage, Uint8Array>();

/** For the parsers' option `verify`. */
export function keepBody(request: IncomingMessage, _response: unknown, body: Uint8Array): void {
  bodies.set(request, body);
}

/** What stands after the scheme in the `Authorization` header; undefined when there is none, or one of another scheme. */
export function signatureOf(request: Request): string | undefined {
  const [scheme = '', ...rest] = (request.get('authorization') ?? '').split(' ');
  return scheme.toLowerCase() === SITE_SCHEME.toLowerCase() ? rest.join(' ').trim() : undefined;
}

/**
 * The account whose key signed the request. Nothing but the signature counts then: with a bad one, no cookie helps.
 * @returns undefined for a request that is not signed.
 * @throws PortalError BAD_SIGNATURE, UNKNOWN_KEY
 */
export async function signedCaller(
  request: Request,
  { store, publicUrl }: { readonly store: Store; readonly publicUrl: () => string },
): Promise<{ account: Account; signed: Signed } | undefined> {
  const jws = signatureOf(request);
  if (jws === undefined) return undefined;
  const verified = await checked(jws, request);
  if (!isSame(verified.audience, publicUrl())) {
    throw new PortalError(
      'BAD_SIGNATURE',
      `expected a request signed for ${publicUrl()}, got one for ${verified.audience.slice(0, 200)}`,
    );
  }
  const account = await accountOf(store, verified);
  const claim = async (): Promise<void> => {
    if (await store.nonces.claim(verified.signer, verified.nonce, verified.until)) return;
    throw new PortalError('REPLAYED', 'expected a signed request that was not seen before, got one again');
  };
  return { account, signed: { claim } };
}

async function checked(jws: string, request: Request): Promise<SiteRequest> {
  if (jws.length > LIMITS.authorizationLength) {
    const message = `expected at most ${LIMITS.authorizationLength} characters of signature, got ${jws.length}`;
    throw new PortalError('BAD_SIGNATURE', message);
  }
  const { method, originalUrl: path } = request;
  const body = bodies.get(request) ?? new Uint8Array();
  try {
    return await verifySiteRequest(jws, { method, path, body }, Date.now() / 1000);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new PortalError('BAD_SIGNATURE', error.message, { details: { reason: error.code } });
  }
}

/** Somebody may use one key for several accounts of his; then the request says which it means. */
async function accountOf(store: Store, { signer, account: username }: SiteRequest): Promise<Account> {
  const accounts = await store.accounts.byKey(signer);
  const [first, second] = accounts.filter(({ username_key }) =>
    [undefined, username_key].includes(username?.toLowerCase()),
  );
  if (first === undefined) {
    const of = username === undefined ? 'an account' : `the account "${username}"`;
    throw new PortalError('UNKNOWN_KEY', `expected the key of ${of}, got ${signer}, which is not`);
  }
  if (second === undefined) return first;
  throw new PortalError('UNKNOWN_KEY', `expected the name of an account, because several have the key, got none`);
}

export const isLoopback = networksOf(['127.0.0.0/8', '::1']);

/** `localhost` and `127.0.0.1` are the same site: nobody else can be at either. */
export function isSame(audience: string, own: string): boolean {
  const [theirs, ours] = [URL.parse(audience), URL.parse(own)];
  if (theirs === null || ours === null) return false;
  return comparable(theirs) === comparable(ours);
}

function comparable({ protocol, hostname, port, pathname }: URL): string {
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLocal = host === 'localhost' || (/^[\d.]+$|:/.test(host) && isLoopback(host));
  return [protocol, isLocal ? 'localhost' : host, port, pathname.replace(/\/+$/, '')].join(' ');
}
