import { z } from 'zod';
import { PortalError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import type { Route, Visit } from '../route.ts';
import { nothingSchema } from '../schemas.ts';
import { memberOf } from '../session.ts';

const banSchema = z.object({
  reason: z.string({ error: 'expected a reason' }).trim().min(1, 'expected a reason').max(LIMITS.reasonLength),
});

/** Ends what a user has and does: his sessions, his leases and, on the nodes, his programs. */
export const banUser: Route<z.infer<typeof banSchema>> = {
  method: 'post',
  path: '/admin/users/:username/ban',
  access: 'admin',
  body: banSchema,
  handle: async (visit, { reason }) => {
    const { store, queue, account } = memberOf(visit);
    await store.administration.ban(account.id, nameOf(visit), reason);
    queue.wake();
    return { json: { banned: true }, redirect: '/admin/audit' };
  },
};

export const unbanUser: Route<object> = {
  method: 'post',
  path: '/admin/users/:username/unban',
  access: 'admin',
  body: nothingSchema,
  handle: async (visit) => {
    const { store, account } = memberOf(visit);
    await store.administration.unban(account.id, nameOf(visit));
    return { json: { banned: false }, redirect: '/admin/audit' };
  },
};

function nameOf({ request }: Visit): string {
  const { username } = request.params;
  if (typeof username === 'string') return username;
  throw new PortalError('INVALID_REQUEST', 'expected a username in the path, got none');
}
