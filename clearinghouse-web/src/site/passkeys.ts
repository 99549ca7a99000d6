import { z } from 'zod';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { refusedPage } from './account-page.ts';
import { addressOf } from './caller.ts';
import { confirmPassword } from './confirm.ts';
import { loggedInSchema, logIn, ownPath } from './login.ts';
import { nextSchema, type PageQuery, pageQuerySchema, sliceOf } from './paging.ts';
import type { Route } from './route.ts';
import { chosenSchema, newPasskeySchema, nothingSchema, passkeyLoginSchema, renameSchema } from './schemas.ts';
import { memberOf } from './session.ts';
import { bad, createdCredential, creationOptions, requestOptions, usedCredential } from './webauthn.ts';

/** As WebAuthn has them; a browser takes them as they are. */
const optionsSchema = z.object({ options: z.looseObject({ challenge: z.string() }) });
const passkeySchema = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.int(),
  usedAt: z.int().nullable(),
});

export const listPasskeys: Route<object, PageQuery> = {
  method: 'get',
  path: '/account/passkeys',
  summary: 'The passkeys of the account.',
  access: 'user',
  scope: 'account',
  body: nothingSchema,
  query: pageQuerySchema,
  result: z.object({ passkeys: z.array(passkeySchema), next: nextSchema }),
  handle: async (visit, _body, query) => {
    const { store, account } = memberOf(visit);
    const { items, next } = sliceOf(await store.passkeys.list(account.id), query, ({ id }) => id);
    return { json: { passkeys: items }, next, redirect: '/account#passkeys' };
  },
};

export const passkeyCreation: Route<object> = {
  method: 'post',
  path: '/account/passkeys/options',
  summary: 'What a browser needs to make a passkey.',
  access: 'user',
  inPerson: true,
  body: nothingSchema,
  result: optionsSchema,
  handle: async (visit) => ({ json: { options: await creationOptions(memberOf(visit)) } }),
};

export const addPasskey: Route<z.infer<typeof newPasskeySchema>> = {
  method: 'post',
  success: 201,
  path: '/account/passkeys',
  summary: 'Add a passkey that a browser has made.',
  access: 'user',
  inPerson: true,
  body: newPasskeySchema,
  result: nothingSchema,
  problems: ['BAD_PASSKEY', 'WRONG_PASSWORD', 'TOO_MANY', 'TOO_MANY_REQUESTS'],
  handle: async (visit, { name, current, response }) => {
    const member = memberOf(visit);
    await confirmPassword(member, current);
    const { id, publicKey, counter, transports = [] } = await createdCredential(visit, response);
    await visit.store.passkeys.add(member.account, { id, name, publicKey, counter, transports });
    return { json: {} };
  },
};

export const renamePasskey: Route<z.infer<typeof renameSchema>> = {
  method: 'post',
  path: '/account/passkeys/rename',
  summary: 'Give a passkey another name.',
  access: 'user',
  inPerson: true,
  body: renameSchema,
  result: nothingSchema,
  problems: ['NO_SUCH_THING'],
  handle: async (visit, { id, name }) => {
    const { store, account } = memberOf(visit);
    if (!(await store.passkeys.rename(account.id, id, name))) throw notYours();
    return { json: {}, redirect: '/account?notice=renamed#passkeys' };
  },
  refused: async (visit, error) => await refusedPage(visit, error, 'passkeys'),
};

export const removePasskey: Route<z.infer<typeof chosenSchema>> = {
  method: 'post',
  path: '/account/passkeys/remove',
  summary: 'Forget a passkey: it opens nothing any more.',
  access: 'user',
  inPerson: true,
  body: chosenSchema,
  result: nothingSchema,
  problems: ['NO_SUCH_THING'],
  handle: async (visit, { id }) => {
    const { store, account } = memberOf(visit);
    if (!(await store.passkeys.remove(account.id, id))) throw notYours();
    return { json: {}, redirect: '/account?notice=removed#passkeys' };
  },
  refused: async (visit, error) => await refusedPage(visit, error, 'passkeys'),
};

export const passkeyRequest: Route<object> = {
  method: 'post',
  path: '/login/passkey/options',
  summary: 'What a browser needs to log in with a passkey.',
  access: 'anyone',
  body: nothingSchema,
  result: optionsSchema,
  handle: async (visit) => ({ json: { options: await requestOptions(visit) } }),
};

export const passkeyLogin: Route<z.infer<typeof passkeyLoginSchema>> = {
  method: 'post',
  path: '/login/passkey',
  summary: 'Log in with a passkey; the answer sets the cookie of a new session.',
  access: 'anyone',
  body: passkeyLoginSchema,
  result: loggedInSchema.extend({ next: z.string() }),
  problems: ['BAD_PASSKEY', 'TOO_MANY_REQUESTS'],
  handle: async (visit, { response, next }) => {
    const { store, request } = visit;
    const address = addressOf(request);
    const budgets = [
      { key: `passkey:address:${address}`, limit: LIMITS.loginFailuresPerAddress },
      { key: `passkey:client:${response.id}:${address}`, limit: LIMITS.loginFailuresPerClient },
    ];
    await store.attempts.take(budgets);
    const credential = await store.passkeys.find(response.id);
    if (credential === undefined) throw bad('nobody here has it');
    const counter = await usedCredential(visit, response, credential);
    await store.attempts.giveBack(budgets);
    await store.passkeys.used(credential.id, counter);
    const account = await store.accounts.byId(credential.accountId);
    if (account === undefined) throw bad('its account is gone');
    const answer = await logIn(visit, account, 'passkey');
    return { json: { ...Object(answer.json), next: ownPath(next) } };
  },
};

function notYours(): PortalError {
  return new PortalError('NO_SUCH_THING', 'expected a passkey of this account, got one that is not, or was removed');
}
