import type { scopeSchema } from '@potluck/protocol';
import type { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { sessionIdOf } from '../store/sessions.ts';
import { titleOf } from './problems.ts';
import { fieldsOf } from './render.ts';
import type { Page, Visit } from './route.ts';
import { memberOf } from './session.ts';
import { countryOf } from './whence.ts';

/** The parts of the page, which are the forms on it, too. */
export type Section = 'password' | 'sessions' | 'tokens' | 'passkeys' | 'key' | 'delete';

const NOTICES = new Map(
  Object.entries({
    key: 'The key is changed. Your vessels take it as soon as their machines are there, and the old one opens nothing.',
    password: 'The password is changed. All other log-ins have ended.',
    sessions: 'Logged out there.',
    passkey: 'The passkey is yours: log in with it the next time.',
    renamed: 'Renamed.',
    removed: 'The passkey is forgotten: it opens nothing any more.',
    revoked: 'The token is revoked: nothing can use it any more.',
  }),
);

/** What each scope lets a program do, in the words of the page. */
const SCOPES: readonly (readonly [string, string])[] = [
  ['account', 'see the account and its credits, log-ins and tokens'],
  ['vessels:read', 'see the vessels'],
  ['vessels:write', 'acquire, renew and release vessels'],
  ['donations', 'see the donations'],
  ['admin', 'what an administrator may, if you are one'],
] satisfies [(typeof scopeSchema.options)[number], string][];

interface More {
  readonly error?: { readonly section: Section; readonly title: string; readonly message: string };
  readonly fields?: Readonly<Record<string, string>>;
  readonly entered?: Readonly<Record<string, unknown>>;
  /** A token that was just made: shown once. */
  readonly made?: { readonly name: string; readonly secret: string };
}

/** All that people can see and change about their account. */
export async function accountPage(visit: Visit, more: More = {}): Promise<Page> {
  const { store, account, sessionToken } = memberOf(visit);
  const own = sessionIdOf(sessionToken);
  const [credits, sessions, tokens, passkeys] = await Promise.all([
    store.leases.credits(account.id),
    store.sessions.list(account.id),
    store.tokens.list(account.id),
    store.passkeys.list(account.id),
  ]);
  const data = {
    credits,
    sessions: sessions.map((one) => ({ ...one, current: one.id === own, country: countryOf(one.network) })),
    tokens,
    passkeys,
    scopes: SCOPES,
    longestDays: LIMITS.tokenMs / 86_400_000,
    notice: more.error === undefined ? NOTICES.get(String(visit.request.query.notice)) : undefined,
    fields: {},
    entered: {},
    ...more,
  };
  return { view: 'account', title: 'My account', data };
}

/** The same page, with what was wrong in the part that it was about. */
export async function refusedPage(
  visit: Visit,
  error: PortalError,
  section: Section,
  entered: Readonly<Record<string, unknown>> = {},
): Promise<Page> {
  const said = { section, title: titleOf(error), message: error.message };
  return await accountPage(visit, { error: said, fields: fieldsOf(error, { KEY_NOT_PROVED: 'keyProof' }), entered });
}
