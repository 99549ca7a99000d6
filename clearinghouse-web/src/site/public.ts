import { keyIdSchema } from '@potluck/protocol';
import { z } from 'zod';
import { PortalError } from '../errors.ts';
import { dashboardOf } from './dashboard.ts';
import type { Route } from './route.ts';
import { nothingSchema } from './schemas.ts';

const DELETED =
  'Your account is deleted. Your vessels are being emptied, and your machines are offered to nobody any more.';

/** What Potluck is, and how much of it there is now; for who is logged in, where he stands. */
export const home: Route<object> = {
  method: 'get',
  path: '/',
  summary: 'How many machines and vessels there are now.',
  access: 'anyone',
  body: nothingSchema,
  result: z.object({ nodes: z.int(), vessels: z.int(), free: z.int() }),
  handle: async (visit) => {
    const { store, publicUrl, account, request } = visit;
    const counts = await store.nodes.counts();
    if (account !== undefined) return { json: counts, page: await dashboardOf({ ...visit, account }) };
    const notice = request.query.notice === 'deleted' ? DELETED : undefined;
    const data = { notice, counts, policy: await store.policies.current(), publicUrl: publicUrl() };
    return { json: counts, page: { view: 'home', title: 'Potluck', data } };
  },
};

/** Where seash finds the nodes on which a key has vessels. */
export const advertisements: Route<object> = {
  method: 'get',
  path: '/advertisements/:keyId',
  summary: 'The signed advertisements of the nodes that a key names, or that host vessels for it.',
  access: 'anyone',
  body: nothingSchema,
  result: z.object({ advertisements: z.array(z.string()) }),
  handle: async ({ store, request, weigh }) => {
    const key = keyIdSchema.safeParse(request.params.keyId);
    if (!key.success) throw new PortalError('INVALID_REQUEST', 'expected a key id: 43 characters of base64url');
    const found = await store.nodes.advertisementsOf(key.data);
    weigh(
      request,
      found.reduce((bytes, { length }) => bytes + length, 0),
    );
    return { json: { advertisements: found } };
  },
};
