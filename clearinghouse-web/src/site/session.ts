import type { IncomingMessage } from 'node:http';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { Response } from 'express';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { Account } from '../store/accounts.ts';
import { csrfMatches, newSessionToken } from '../store/sessions.ts';
import type { Member, Route, Visit } from './route.ts';

interface Asked {
  readonly request: Pick<IncomingMessage, 'headers'>;
  readonly publicUrl: () => string;
}

interface Exchange extends Asked {
  readonly response: Response;
}

/** The session of the cookie, or a new one of nobody, which the browser is told only when it will need it. */
export function sessionTokenOf(exchange: Asked): string {
  return secretIn(exchange, cookieName(exchange)) ?? newSessionToken();
}

/** Makes sure that the browser has the cookie of this session. */
export function keepSession(visit: Visit): void {
  if (parseCookie(visit.request.headers.cookie ?? '')[cookieName(visit)] === visit.sessionToken) return;
  setSession(visit, visit.sessionToken);
}

export function setSession(exchange: Exchange, token: string): void {
  setCookie(exchange, { name: cookieName(exchange), value: token, ms: LIMITS.sessionMs });
}

/** What this browser shows to accounts that have logged in with it before. */
export function deviceOf(exchange: Exchange): string | undefined {
  return secretIn(exchange, `${cookieName(exchange)}-known`);
}

export function setDevice(exchange: Exchange, secret: string): void {
  setCookie(exchange, { name: `${cookieName(exchange)}-known`, value: secret, ms: LIMITS.deviceMs });
}

/**
 * Refuses a change that another site's page may have caused: the session's own token must come with it, and the browser
 * must not say that it comes from elsewhere.
 * @throws PortalError CSRF
 */
export function checkOrigin(visit: Visit, formToken: unknown): void {
  const { request, sessionToken } = visit;
  const token = request.get('x-csrf-token') ?? formToken;
  if (typeof token !== 'string' || !csrfMatches(sessionToken, token)) {
    throw new PortalError('CSRF', 'expected the token of this session, got none or another: load the page again');
  }
  const origin = request.get('origin');
  if (origin !== undefined && !isOwnOrigin(visit, origin)) {
    throw new PortalError('CSRF', `expected a request from this site, got one from ${origin.slice(0, 200)}`);
  }
  if (request.get('sec-fetch-site') === 'cross-site') {
    throw new PortalError('CSRF', 'expected a request from this site, got one from another');
  }
}

/** @throws PortalError NOT_AUTHENTICATED, NOT_ADMINISTRATOR, BANNED */
export function checkAccess(visit: Visit, access: Route<unknown>['access']): void {
  if (access === 'anyone') return;
  const { account } = memberOf(visit);
  refuseBanned(account);
  if (access === 'admin' && account.role !== 'admin') {
    throw new PortalError('NOT_ADMINISTRATOR', `expected an administrator, got ${account.username}, who is none`);
  }
}

/** @throws PortalError BANNED */
export function refuseBanned({ banned_at }: Account): void {
  if (banned_at === null) return;
  const message =
    'expected an account that is not suspended, got one that an administrator has suspended: write to them';
  throw new PortalError('BANNED', message);
}

/** The check of `access: 'user'`, for the types. */
export function memberOf(visit: Visit): Member {
  const { account } = visit;
  if (account === undefined) {
    throw new PortalError('NOT_AUTHENTICATED', 'expected somebody who is logged in, or a signed request, got nobody');
  }
  return { ...visit, account };
}

/** The site may be reached under several names. */
export function isOwnOrigin({ request, publicUrl }: Asked, origin: string): boolean {
  if (origin === new URL(publicUrl()).origin) return true;
  return URL.canParse(origin) && new URL(origin).host === request.headers.host;
}

function secretIn({ request }: Asked, name: string): string | undefined {
  const value = parseCookie(request.headers.cookie ?? '')[name];
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
}

function setCookie(exchange: Exchange, { name, value, ms }: { name: string; value: string; ms: number }): void {
  const secure = isSecure(exchange);
  const cookie = { name, value, httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: ms / 1000 } as const;
  exchange.response.append('set-cookie', stringifySetCookie(cookie));
}

function isSecure({ publicUrl }: Asked): boolean {
  return publicUrl().startsWith('https:');
}

function cookieName(exchange: Asked): string {
  return isSecure(exchange) ? '__Host-potluck' : 'potluck';
}
