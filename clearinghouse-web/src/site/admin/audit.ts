import { z } from 'zod';
import { afterOf, pageOf, pageQuerySchema } from '../paging.ts';
import type { Route } from '../route.ts';
import { nothingSchema } from '../schemas.ts';
import { namesIn, optionalText } from './lists.ts';
import { auditSchema } from './shapes.ts';

const auditQuery = pageQuerySchema.extend({ actor: optionalText, action: optionalText, subject: optionalText });

/** Who did what to which vessel, node or account; the newest first. */
export const audit: Route<object, z.infer<typeof auditQuery>> = {
  method: 'get',
  path: '/admin/audit',
  summary: 'Who did what to which vessel, node or account; the newest first',
  access: 'admin',
  body: nothingSchema,
  query: auditQuery,
  result: auditSchema,
  handle: async ({ store }, _body, query) => {
    const { limit, cursor: _, ...filter } = query;
    const [before] = afterOf(query, z.tuple([z.string()])) ?? [];
    // People filter by the names that they read.
    const actor =
      filter.actor === undefined ? undefined : ((await store.overview.user(filter.actor))?.id ?? filter.actor);
    const rows = await store.audit.list({ ...filter, actor }, { limit: limit + 1, before });
    const { items: entries, next } = pageOf(rows, query, ({ id }) => [id]);
    return {
      json: { entries },
      next,
      page: {
        view: 'admin/audit',
        title: 'Audit log',
        data: { entries, next, filter, names: await namesIn(store, entries) },
      },
    };
  },
};
