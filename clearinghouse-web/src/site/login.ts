import { z } from 'zod';
import type { Account } from '../store/accounts.ts';
import { csrfTokenOf, newSessionToken } from '../store/sessions.ts';
import { accountByPassword } from './confirm.ts';
import { fieldsOf } from './render.ts';
import type { Answer, Page, Route, Visit } from './route.ts';
import { loginSchema, nothingSchema, userSchema } from './schemas.ts';
import { deviceOf, refuseBanned, setDevice, setSession } from './session.ts';
import { whenceOf } from './whence.ts';

type Credentials = z.infer<typeof loginSchema>;

export const loggedInSchema = z.object({ user: userSchema.nullable(), csrfToken: z.string() });

export const loginForm: Route<object> = {
  method: 'get',
  path: '/login',
  summary: 'The form to log in with.',
  access: 'anyone',
  body: nothingSchema,
  result: nothingSchema,
  handle: async ({ request }) => ({ json: {}, page: loginPage({ next: ownPath(request.query.next) }) }),
};

export const login: Route<Credentials> = {
  method: 'post',
  path: '/login',
  summary: 'Log in with a password; the answer sets the cookie of a new session.',
  access: 'anyone',
  body: loginSchema,
  result: loggedInSchema,
  problems: ['WRONG_PASSWORD'],
  handle: async (visit, { username, password, next }) => {
    const account = await accountByPassword(visit, username, password);
    return { ...(await logIn(visit, account, 'password')), redirect: ownPath(next) };
  },
  refused: async (_visit, error, entered) => loginPage(entered, { error, fields: fieldsOf(error, {}) }),
};

export const logout: Route<object> = {
  method: 'post',
  path: '/logout',
  summary: 'End this session.',
  access: 'anyone',
  body: nothingSchema,
  result: loggedInSchema,
  handle: async (visit) => {
    await visit.store.sessions.end(visit.sessionToken);
    return { json: { user: null, csrfToken: csrfTokenOf(becomeNobody(visit)) }, redirect: '/' };
  },
};

/**
 * Ends the session that the browser had and begins one of the account.
 * @param by what was shown: with the password, it must be the account's still.
 */
export async function logIn(visit: Visit, account: Account, by: 'password' | 'passkey'): Promise<Answer> {
  const { store, sessionToken, request } = visit;
  refuseBanned(account);
  await store.sessions.end(sessionToken);
  const token = await store.sessions.begin(by === 'password' ? account : account.id, whenceOf(request));
  setSession(visit, token);
  await rememberDevice(visit, account);
  return { json: { user: userOf(account), csrfToken: csrfTokenOf(token) } };
}

/** The browser forgets its session. @returns the token of its new one, of nobody. */
export function becomeNobody(visit: Visit): string {
  const token = newSessionToken();
  setSession(visit, token);
  return token;
}

export function userOf({ username, email, key_id: keyId, user_port: userPort }: Account): z.infer<typeof userSchema> {
  return { username, email, keyId, userPort };
}

/** Only a path of this site may be gone to after the log-in. */
export function ownPath(next: unknown): string {
  return typeof next === 'string' && /^\/[a-z0-9/:_-]*$/i.test(next) && !next.startsWith('//') ? next : '/';
}

async function rememberDevice(visit: Visit, account: Account): Promise<void> {
  const secret = deviceOf(visit);
  if (secret !== undefined && (await visit.store.devices.find(account.id, secret)) !== undefined) return;
  setDevice(visit, await visit.store.devices.remember(account.id));
}

function loginPage(entered: object, more: object = {}): Page {
  return { view: 'login', title: 'Log in', data: { entered, fields: {}, ...more } };
}
