import { scopeSchema } from '@potluck/protocol';
import { z } from 'zod';
import { PortalError } from '../errors.ts';
import { accountPage, refusedPage } from './account-page.ts';
import { confirmPassword } from './confirm.ts';
import { nextSchema, type PageQuery, pageQuerySchema, sliceOf } from './paging.ts';
import type { Route } from './route.ts';
import { chosenSchema, newTokenSchema, nothingSchema } from './schemas.ts';
import { memberOf } from './session.ts';

const DAY_MS = 86_400_000;

const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** How its text begins. */
  hint: z.string(),
  scopes: z.array(scopeSchema),
  createdAt: z.int(),
  expiresAt: z.int(),
  usedAt: z.int().nullable(),
});

export const listTokens: Route<object, PageQuery> = {
  method: 'get',
  path: '/account/tokens',
  summary: 'The API tokens of the account, without their secrets.',
  access: 'user',
  scope: 'account',
  body: nothingSchema,
  query: pageQuerySchema,
  result: z.object({ tokens: z.array(tokenSchema), next: nextSchema }),
  handle: async (visit, _body, query) => {
    const { store, account } = memberOf(visit);
    const { items, next } = sliceOf(await store.tokens.list(account.id), query, ({ id }) => id);
    return { json: { tokens: items }, next, redirect: '/account#tokens' };
  },
};

export const makeToken: Route<z.infer<typeof newTokenSchema>> = {
  method: 'post',
  success: 201,
  path: '/account/tokens',
  summary: 'Make an API token; its text is in this answer and in no other.',
  access: 'user',
  inPerson: true,
  body: newTokenSchema,
  result: z.object({ token: tokenSchema, secret: z.string() }),
  problems: ['WRONG_PASSWORD', 'TOO_MANY_REQUESTS', 'TOO_MANY'],
  handle: async (visit, { name, scopes, days, current }) => {
    const member = memberOf(visit);
    await confirmPassword(member, current);
    const wanted = { name, scopes, expiresAt: Date.now() + days * DAY_MS };
    const { token, secret } = await visit.store.tokens.create(member.account, wanted);
    visit.response.set('cache-control', 'no-store');
    return { json: { token, secret }, page: await accountPage(visit, { made: { name, secret } }) };
  },
  refused: async (visit, error, entered) => await refusedPage(visit, error, 'tokens', entered),
};

export const revokeToken: Route<z.infer<typeof chosenSchema>> = {
  method: 'post',
  path: '/account/tokens/revoke',
  summary: 'End an API token.',
  access: 'user',
  scope: 'account',
  body: chosenSchema,
  result: nothingSchema,
  problems: ['NO_SUCH_THING'],
  handle: async (visit, { id }) => {
    const { store, account } = memberOf(visit);
    if (!(await store.tokens.revoke(account.id, id))) {
      throw new PortalError('NO_SUCH_THING', 'expected a token of this account, got one that is not, or was revoked');
    }
    return { json: {}, redirect: '/account?notice=revoked#tokens' };
  },
  refused: async (visit, error) => await refusedPage(visit, error, 'tokens'),
};
