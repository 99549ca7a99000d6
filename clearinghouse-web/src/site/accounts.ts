import { z } from 'zod';
import { hashPassword } from '../password.ts';
import { csrfTokenOf } from '../store/sessions.ts';
import { provedKey } from './key.ts';
import { logIn, userOf } from './login.ts';
import { fieldsOf, wantsJson } from './render.ts';
import type { Route } from './route.ts';
import { nothingSchema, registerSchema, userSchema } from './schemas.ts';
import { keepSession } from './session.ts';

type Registration = z.infer<typeof registerSchema>;

/** Who the session is of, and its CSRF token; works before the log-in, too. */
export const session: Route<object> = {
  method: 'get',
  path: '/session',
  summary: 'Whose session the cookie is, and the CSRF token that its changes need.',
  access: 'anyone',
  body: nothingSchema,
  result: z.object({ user: userSchema.nullable(), csrfToken: z.string() }),
  handle: async (visit) => {
    keepSession(visit);
    visit.response.set('cache-control', 'no-store');
    return {
      json: {
        user: visit.account === undefined ? null : userOf(visit.account),
        csrfToken: csrfTokenOf(visit.sessionToken),
      },
    };
  },
};

export const registerForm: Route<object> = {
  method: 'get',
  path: '/register',
  summary: 'The form to register with.',
  access: 'anyone',
  body: nothingSchema,
  result: nothingSchema,
  handle: async () => ({ json: {}, page: { view: 'register', title: 'Join', data: { entered: {}, fields: {} } } }),
};

export const register: Route<Registration> = {
  method: 'post',
  success: 201,
  path: '/register',
  summary: 'Make an account; a program logs in afterwards.',
  access: 'anyone',
  limit: 'register',
  body: registerSchema,
  result: z.object({ user: userSchema }),
  problems: ['USERNAME_TAKEN', 'KEY_NOT_PROVED'],
  handle: async (visit, { username, password, email, keyProof }) => {
    const { store, queue } = visit;
    const publicKey = await provedKey(visit, username, keyProof);
    const passwordHash = await hashPassword(password, visit.passwordCost);
    const account = await store.accounts.create({ username, email, passwordHash, publicKey });
    queue.wake();
    // A program keeps its session, and with it the CSRF token that it has; a person is logged in at once.
    if (!wantsJson(visit)) await logIn(visit, account, 'password');
    return { json: { user: userOf(account) }, redirect: '/vessels?notice=welcome' };
  },
  refused: async (_visit, error, entered) => ({
    view: 'register',
    title: 'Join',
    data: { error, entered, fields: fieldsOf(error, { USERNAME_TAKEN: 'username', KEY_NOT_PROVED: 'keyProof' }) },
  }),
};
