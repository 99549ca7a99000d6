import { z } from 'zod';
import { PortalError } from '../../errors.ts';
import type { UserRow } from '../../store/overview.ts';
import { statementOf, statementSchema } from '../credits.ts';
import { tellOfDeletion } from '../deletion.ts';
import { afterOf, type PageQuery, pageOf, pageQuerySchema } from '../paging.ts';
import type { Page, Route, Visit } from '../route.ts';
import { nothingSchema } from '../schemas.ts';
import { memberOf } from '../session.ts';
import { namesIn, noticeOf, optionalText, reasonSchema } from './lists.ts';
import { oneUserSchema, usersSchema } from './shapes.ts';

const NOTICES = {
  banned: 'Suspended. All vessels are being stopped and emptied, and every log-in has ended.',
  unbanned: 'No longer suspended: logging in works again.',
  deleted: 'Deleted. Vessels are being emptied; machines are drained, and go when they are empty.',
};
const usersQuery = pageQuerySchema.extend({ search: optionalText, notice: optionalText });
const noticeQuery = z.object({ notice: optionalText });
const bannedSchema = z.object({ banned: z.boolean() });
/** Of the newest: the audit log has the rest. */
const HISTORY = 20;
const HELD = 500;

export const listUsers: Route<object, z.infer<typeof usersQuery>> = {
  method: 'get',
  path: '/admin/users',
  summary: 'All accounts by name, or those whose name begins with `search`',
  access: 'admin',
  body: nothingSchema,
  query: usersQuery,
  result: usersSchema,
  handle: async ({ store }, _body, query) => {
    const { limit, search, notice } = query;
    const [after] = afterOf(query, z.tuple([z.string()])) ?? [];
    const rows = await store.overview.users(search, { limit: limit + 1, after });
    const { items: users, next } = pageOf(rows, query, ({ username }) => [username]);
    return {
      json: { users },
      next,
      page: { view: 'admin/users', title: 'Users', data: { users, next, search, notice: noticeOf(NOTICES, notice) } },
    };
  },
};

export const showUser: Route<object, z.infer<typeof noticeQuery>> = {
  method: 'get',
  path: '/admin/users/:username',
  summary: 'One account, what it holds, and what was done to it',
  access: 'admin',
  problems: ['NO_SUCH_ACCOUNT'],
  body: nothingSchema,
  query: noticeQuery,
  result: oneUserSchema,
  handle: async (visit, _body, { notice }) => {
    const { page, ...json } = await lookAt(visit);
    return { json, page: page({ notice: noticeOf(NOTICES, notice) }) };
  },
};

/** Every credit that the account got or spent: it sums up to what it may still acquire. */
export const showLedger: Route<object, PageQuery> = {
  method: 'get',
  path: '/admin/users/:username/ledger',
  summary: 'The credits of one account, line by line, the newest first',
  access: 'admin',
  problems: ['NO_SUCH_ACCOUNT'],
  body: nothingSchema,
  query: pageQuerySchema,
  result: statementSchema,
  handle: async (visit, _body, query) => {
    const user = await userOf(visit);
    const page: Page = { view: 'admin/ledger', title: `Credits of ${user.username}`, data: { user } };
    return await statementOf(visit, { accountId: user.id, query, page });
  },
};

/** Ends what a user has and does: his sessions and tokens, his leases and, on the nodes, his programs. */
export const banUser: Route<z.infer<typeof reasonSchema>> = {
  method: 'post',
  path: '/admin/users/:username/ban',
  summary: 'Suspends an account: its log-ins, tokens and leases end, and its programs are stopped',
  access: 'admin',
  problems: ['NO_SUCH_ACCOUNT'],
  body: reasonSchema,
  result: bannedSchema,
  handle: async (visit, { reason }) => {
    const { store, queue, bus, account } = memberOf(visit);
    const { id, username } = await userOf(visit);
    await store.administration.ban(account.id, username, reason);
    queue.wake();
    bus.publish('vessel.changed', { account: id });
    return { json: { banned: true }, redirect: `/admin/users/${username}?notice=banned` };
  },
  refused: async (visit, error) => (await lookAt(visit)).page({ error }),
};

export const unbanUser: Route<object> = {
  method: 'post',
  path: '/admin/users/:username/unban',
  summary: 'Ends the suspension of an account',
  access: 'admin',
  problems: ['NO_SUCH_ACCOUNT'],
  body: nothingSchema,
  result: bannedSchema,
  handle: async (visit) => {
    const { store, account } = memberOf(visit);
    const { username } = await userOf(visit);
    await store.administration.unban(account.id, username);
    return { json: { banned: false }, redirect: `/admin/users/${username}?notice=unbanned` };
  },
};

/** For good: as its user could do himself. */
export const deleteUser: Route<z.infer<typeof reasonSchema>> = {
  method: 'post',
  path: '/admin/users/:username/delete',
  summary: 'Deletes an account: its vessels are emptied, its machines drained, its name given to nobody',
  access: 'admin',
  inPerson: true,
  problems: ['NO_SUCH_ACCOUNT'],
  body: reasonSchema,
  result: nothingSchema,
  handle: async (visit, { reason }) => {
    const member = memberOf(visit);
    const { id } = await userOf(visit);
    const own = 'expected somebody else, got yourself: delete your own account on its page';
    if (id === member.account.id) throw new PortalError('INVALID_REQUEST', own);
    await member.store.closing.close({ actor: member.account.id, account: id, reason });
    tellOfDeletion(member, id);
    return { json: {}, redirect: '/admin/users?notice=deleted' };
  },
  refused: async (visit, error) => (await lookAt(visit)).page({ error }),
};

async function lookAt(visit: Visit) {
  const { store } = visit;
  const user = await userOf(visit);
  const leases = await store.overview.leases(user.username, { limit: HELD });
  const history = await store.audit.list({ subject: user.id }, { limit: HISTORY });
  const names = await namesIn(store, history);
  const page = (more: object): Page => ({
    view: 'admin/user',
    title: user.username,
    data: { user, leases, history, names, ...more },
  });
  return { user, leases, history, page };
}

async function userOf({ store, request }: Visit): Promise<UserRow> {
  const username = String(request.params.username).slice(0, 100);
  const user = await store.overview.user(username);
  if (user !== undefined) return user;
  throw new PortalError('NO_SUCH_ACCOUNT', `expected the username of an account, got "${username}"`);
}
