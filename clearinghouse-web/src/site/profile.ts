import { type AccountFacts, accountSchema, termsSchema } from '@potluck/protocol';
import { z } from 'zod';
import { PortalError } from '../errors.ts';
import { hashPassword } from '../password.ts';
import { type Kept, sessionIdOf } from '../store/sessions.ts';
import { accountPage, refusedPage } from './account-page.ts';
import { confirmPassword } from './confirm.ts';
import { becomeNobody } from './login.ts';
import { nextSchema, type PageQuery, pageQuerySchema, sliceOf } from './paging.ts';
import type { Member, Route, Visit } from './route.ts';
import { nothingSchema, passwordChangeSchema, sessionsEndSchema } from './schemas.ts';
import { deviceOf, memberOf } from './session.ts';

const sessionSchema = z.object({
  id: z.string(),
  /** The one that asks. */
  current: z.boolean(),
  createdAt: z.int(),
  seenAt: z.int(),
  expiresAt: z.int(),
  network: z.string(),
  agent: z.string(),
});

/** What a program has to know of its account; for people all that they can change about it. */
export const account: Route<object> = {
  method: 'get',
  path: '/account',
  summary:
    'Name, key, port and credits of the account, the terms on which vessels are given, and whether all is stopped.',
  access: 'user',
  scope: 'account',
  body: nothingSchema,
  result: accountSchema,
  handle: async (visit) => {
    const { username, key_id: keyId, user_port: userPort, id } = memberOf(visit).account;
    const credits = await visit.store.leases.credits(id);
    const terms = await visit.store.policies.current();
    const state = await visit.store.emergency.state();
    const stopped = state && { stopped: { since: state.since, reason: state.reason } };
    const facts = { username, keyId, userPort, credits, terms: termsSchema.parse(terms) };
    const json: AccountFacts = { ...facts, ...stopped };
    return { json, page: await accountPage(visit) };
  },
};

export const changePassword: Route<z.infer<typeof passwordChangeSchema>> = {
  method: 'post',
  path: '/account/password',
  summary: 'Change the password; all other sessions end, and other browsers are forgotten.',
  access: 'user',
  inPerson: true,
  body: passwordChangeSchema,
  result: nothingSchema,
  problems: ['WRONG_PASSWORD', 'TOO_MANY_REQUESTS'],
  handle: async (visit, { current, password }) => {
    const member = memberOf(visit);
    if (member.account.username.toLowerCase() === password.toLowerCase()) {
      const message = 'expected a password other than the username';
      throw new PortalError('INVALID_REQUEST', `password: ${message}`, { details: { fields: { password: message } } });
    }
    await confirmPassword(member, current);
    const hash = await hashPassword(password, visit.passwordCost);
    await visit.store.accounts.setPassword(member.account, hash, browserOf(visit));
    return { json: {}, redirect: '/account?notice=password#password' };
  },
  refused: async (visit, error) => await refusedPage(visit, error, 'password'),
};

export const listSessions: Route<object, PageQuery> = {
  method: 'get',
  path: '/account/sessions',
  summary: 'Where the account is logged in.',
  access: 'user',
  scope: 'account',
  body: nothingSchema,
  query: pageQuerySchema,
  result: z.object({ sessions: z.array(sessionSchema), next: nextSchema }),
  handle: async (visit, _body, query) => {
    const { items, next } = sliceOf(await sessionsOf(memberOf(visit)), query, ({ id }) => id);
    return { json: { sessions: items }, next, redirect: '/account#sessions' };
  },
};

export const endSessions: Route<z.infer<typeof sessionsEndSchema>> = {
  method: 'post',
  path: '/account/sessions/end',
  summary: 'Log out one session, all others, or everywhere; with more than one, their browsers are forgotten.',
  access: 'user',
  inPerson: true,
  body: sessionsEndSchema,
  result: nothingSchema,
  problems: ['NO_SUCH_THING'],
  handle: async (visit, { session, which }) => {
    const {
      store,
      account: { id },
      sessionToken,
    } = memberOf(visit);
    if (which !== undefined) await store.sessions.endAll(id, which === 'others' ? browserOf(visit) : undefined);
    else if (!(await store.sessions.endOne(id, session ?? ''))) {
      throw new PortalError('NO_SUCH_THING', 'expected a session of this account, got one that is not, or has ended');
    }
    if (which !== 'all' && session !== sessionIdOf(sessionToken)) {
      return { json: {}, redirect: '/account?notice=sessions#sessions' };
    }
    becomeNobody(visit);
    return { json: {}, redirect: '/' };
  },
  refused: async (visit, error) => await refusedPage(visit, error, 'sessions'),
};

function browserOf(visit: Visit): Kept {
  return { session: visit.sessionToken, device: deviceOf(visit) };
}

async function sessionsOf({ store, account: { id }, sessionToken }: Member): Promise<z.infer<typeof sessionSchema>[]> {
  const own = sessionIdOf(sessionToken);
  return (await store.sessions.list(id)).map((session) => ({ ...session, current: session.id === own }));
}
