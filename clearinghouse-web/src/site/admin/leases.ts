import { keyIdSchema, vesselNameSchema } from '@potluck/protocol';
import { z } from 'zod';
import { afterOf, pageOf, pageQuerySchema } from '../paging.ts';
import type { Route } from '../route.ts';
import { nothingSchema } from '../schemas.ts';
import { optionalText } from './lists.ts';
import { leasesSchema } from './shapes.ts';

const leasesQuery = pageQuerySchema.extend({ holder: optionalText });

export const listLeases: Route<object, z.infer<typeof leasesQuery>> = {
  method: 'get',
  path: '/admin/leases',
  summary: 'Who holds which vessel until when; with `holder` only those of one user',
  access: 'admin',
  body: nothingSchema,
  query: leasesQuery,
  result: leasesSchema,
  handle: async ({ store }, _body, query) => {
    const { limit, holder } = query;
    const [node, name] = afterOf(query, z.tuple([keyIdSchema, vesselNameSchema])) ?? [];
    const after = node === undefined || name === undefined ? undefined : { node, name };
    const rows = await store.overview.leases(holder, { limit: limit + 1, after });
    const { items: leases, next } = pageOf(rows, query, (row) => [row.node, row.vessel]);
    return {
      json: { leases },
      next,
      page: { view: 'admin/leases', title: 'Leases', data: { leases, next, holder } },
    };
  },
};
