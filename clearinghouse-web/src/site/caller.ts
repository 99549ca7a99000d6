import type { Scope } from '@potluck/protocol';
import type { Request } from 'express';
import { ipKeyGenerator } from 'express-rate-limit';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Account } from '../store/accounts.ts';
import type { Store } from '../store/store.ts';
import type { Token } from '../store/tokens.ts';
import type { Route, Signed, Visit } from './route.ts';
import { signatureOf, signedCaller } from './signature.ts';

/** Who asks, and by what he shows it. */
export interface Caller {
  readonly account: Account | undefined;
  readonly signed: Signed | undefined;
  readonly token: Token | undefined;
}

interface Components {
  readonly store: Store;
  readonly publicUrl: () => string;
}

/**
 * Who signed the request or whose token it brings; else whose session its cookie is. With a bad signature or token no
 * cookie helps.
 * @throws PortalError BAD_SIGNATURE, UNKNOWN_KEY, BAD_TOKEN, TOKEN_EXPIRED, TOO_MANY_REQUESTS
 */
export async function callerOf(request: Request, components: Components, sessionToken: string): Promise<Caller> {
  const bearer = bearerOf(request);
  if (bearer !== undefined) return await tokenCaller(request, components.store, bearer);
  const caller = await signedCaller(request, components);
  if (caller !== undefined) return { ...caller, token: undefined };
  const account = await components.store.sessions.accountOf(sessionToken);
  return { account, signed: undefined, token: undefined };
}

/** Programs show who they are in a header; people have a cookie. */
export function isProgram(request: Request): boolean {
  return signatureOf(request) !== undefined || bearerOf(request) !== undefined;
}

/** The address that attempts are counted by: of IPv6 the /56 that one household has. */
export function addressOf(request: Request): string {
  return ipKeyGenerator(request.ip ?? '');
}

/**
 * Whether the way in which the caller has shown himself will do for this route.
 * @throws PortalError FORBIDDEN
 */
export function checkMeans(route: Route<unknown>, { token, signed }: Visit): void {
  const { access, inPerson } = route;
  if (access === 'anyone') return;
  const scope = scopeOf(route);
  if (inPerson && (token !== undefined || signed !== undefined)) {
    const got = token === undefined ? 'a signed request' : 'an API token';
    throw new PortalError('FORBIDDEN', `expected somebody who is logged in with a browser, got ${got}`);
  }
  if (token === undefined || (scope !== undefined && token.scopes.includes(scope))) return;
  if (scope === undefined)
    throw new PortalError('FORBIDDEN', 'expected a session or a signed request, got an API token');
  const got = token.scopes.map((one) => `"${one}"`).join(', ');
  throw new PortalError('FORBIDDEN', `expected a token with the scope "${scope}", got one with ${got}`, {
    details: { scope },
  });
}

/** What a token must be for; undefined for a route that takes none. */
export function scopeOf({ access, scope, inPerson }: Route<unknown>): Scope | undefined {
  if (inPerson) return undefined;
  return scope ?? (access === 'admin' ? 'admin' : undefined);
}

function bearerOf(request: Request): string | undefined {
  const [scheme = '', ...rest] = (request.get('authorization') ?? '').split(' ');
  return scheme.toLowerCase() === 'bearer' ? rest.join(' ').trim() : undefined;
}

/** A good token is never held back: only those that nobody has are counted. */
async function tokenCaller(request: Request, store: Store, text: string): Promise<Caller> {
  const found = text.length > LIMITS.authorizationLength ? undefined : await store.tokens.find(text);
  if (found === undefined) {
    await store.attempts.take([{ key: `token:address:${addressOf(request)}`, limit: LIMITS.tokenFailures }]);
    throw new PortalError('BAD_TOKEN', 'expected an API token of an account, got one that nobody has: was it revoked?');
  }
  const { account, token } = found;
  if (token.expiresAt <= Date.now()) {
    const when = new Date(token.expiresAt).toISOString();
    throw new PortalError(
      'TOKEN_EXPIRED',
      `expected a token that is still good, got "${token.name}", good until ${when}`,
    );
  }
  return { account, token, signed: undefined };
}
