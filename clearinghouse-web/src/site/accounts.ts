import { type AccountFacts, accountSchema } from '@potluck/protocol';
import type { z } from 'zod';
import { PortalError } from '../errors.ts';
import { hashPassword, verifyPassword } from '../password.ts';
import type { Account } from '../store/accounts.ts';
import { csrfTokenOf, newSessionToken } from '../store/sessions.ts';
import { fieldsOf, wantsJson } from './render.ts';
import type { Route } from './route.ts';
import { loginSchema, nothingSchema, registerSchema } from './schemas.ts';
import { keepSession, memberOf, refuseBanned, setSession } from './session.ts';

type Registration = z.infer<typeof registerSchema>;
type Credentials = z.infer<typeof loginSchema>;

/** Who the session is of, and its CSRF token; works before the log-in, too. */
export const session: Route<object> = {
  method: 'get',
  path: '/session',
  access: 'anyone',
  body: nothingSchema,
  handle: async (visit) => {
    keepSession(visit);
    visit.response.set('cache-control', 'no-store');
    return { json: { user: userOf(visit.account), csrfToken: csrfTokenOf(visit.sessionToken) } };
  },
};

/** What a program has to know of its account. */
export const account: Route<object> = {
  method: 'get',
  path: '/account',
  access: 'user',
  body: nothingSchema,
  result: accountSchema,
  handle: async (visit) => {
    const { username, key_id: keyId, user_port: userPort, id } = memberOf(visit).account;
    const credits = await visit.store.leases.credits(id);
    return { json: { username, keyId, userPort, credits } satisfies AccountFacts };
  },
};

export const registerForm: Route<object> = {
  method: 'get',
  path: '/register',
  access: 'anyone',
  body: nothingSchema,
  handle: async () => ({ json: {}, page: { view: 'register', title: 'Join', data: { entered: {}, fields: {} } } }),
};

export const register: Route<Registration> = {
  method: 'post',
  path: '/register',
  access: 'anyone',
  limit: 'register',
  body: registerSchema,
  handle: async (visit, { username, password, email, publicKey }) => {
    const { store, queue } = visit;
    const passwordHash = await hashPassword(password);
    const account = await store.accounts.create({ username, email, passwordHash, publicKey });
    queue.wake();
    // A program keeps its session, and with it the CSRF token that it has; a person is logged in at once.
    if (!wantsJson(visit)) {
      await store.sessions.end(visit.sessionToken);
      setSession(visit, await store.sessions.begin(account.id));
    }
    return { status: 201, json: { user: userOf(account) }, redirect: '/vessels?notice=welcome' };
  },
  refused: async (_visit, error, entered) => ({
    view: 'register',
    title: 'Join',
    data: { error, entered, fields: fieldsOf(error, { USERNAME_TAKEN: 'username' }) },
  }),
};

export const loginForm: Route<object> = {
  method: 'get',
  path: '/login',
  access: 'anyone',
  body: nothingSchema,
  handle: async ({ request }) => ({
    json: {},
    page: { view: 'login', title: 'Log in', data: { entered: { next: ownPath(request.query.next) }, fields: {} } },
  }),
};

export const login: Route<Credentials> = {
  method: 'post',
  path: '/login',
  access: 'anyone',
  limit: 'login',
  body: loginSchema,
  handle: async (visit, { username, password, next }) => {
    const { store, sessionToken } = visit;
    const account = await store.accounts.byUsername(username);
    const matches = await verifyPassword(password, account?.password);
    if (account === undefined || !matches) {
      throw new PortalError(
        'WRONG_PASSWORD',
        'expected the username and password of an account, got a pair that is not',
      );
    }
    refuseBanned(account);
    await store.sessions.end(sessionToken);
    const token = await store.sessions.begin(account.id);
    setSession(visit, token);
    return { json: { user: userOf(account), csrfToken: csrfTokenOf(token) }, redirect: ownPath(next) };
  },
  refused: async (_visit, error, entered) => ({
    view: 'login',
    title: 'Log in',
    data: { error, entered, fields: fieldsOf(error, {}) },
  }),
};

export const logout: Route<object> = {
  method: 'post',
  path: '/logout',
  access: 'anyone',
  body: nothingSchema,
  handle: async (visit) => {
    await visit.store.sessions.end(visit.sessionToken);
    const token = newSessionToken();
    setSession(visit, token);
    return { json: { user: null, csrfToken: csrfTokenOf(token) }, redirect: '/' };
  },
};

function userOf(account: Account | undefined): object | null {
  if (account === undefined) return null;
  const { username, email, key_id: keyId, user_port: userPort } = account;
  return { username, email, keyId, userPort };
}

/** Only a path of this site may be gone to after the log-in. */
function ownPath(next: unknown): string {
  return typeof next === 'string' && /^\/[a-z0-9/_-]*$/i.test(next) && !next.startsWith('//') ? next : '/vessels';
}
