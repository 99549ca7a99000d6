import { keyIdSchema } from '@potluck/protocol';
import { PortalError } from '../errors.ts';
import type { Route } from './route.ts';
import { nothingSchema } from './schemas.ts';

/** What Potluck is, and how much of it there is now. */
export const home: Route<object> = {
  method: 'get',
  path: '/',
  access: 'anyone',
  body: nothingSchema,
  handle: async ({ store, publicUrl }) => {
    const counts = await store.nodes.counts();
    return { json: counts, page: { view: 'home', title: 'Potluck', data: { counts, publicUrl: publicUrl() } } };
  },
};

/** Where seash finds the nodes on which a key has vessels. */
export const advertisements: Route<object> = {
  method: 'get',
  path: '/advertisements/:keyId',
  access: 'anyone',
  body: nothingSchema,
  handle: async ({ store, request }) => {
    const key = keyIdSchema.safeParse(request.params.keyId);
    if (!key.success) throw new PortalError('INVALID_REQUEST', 'expected a key id: 43 characters of base64url');
    return { json: { advertisements: await store.nodes.advertisementsOf(key.data) } };
  },
};
