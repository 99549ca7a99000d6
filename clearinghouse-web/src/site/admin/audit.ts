import type { Route } from '../route.ts';
import { nothingSchema } from '../schemas.ts';
import { optionalText, pageOf, pageQuery } from './lists.ts';

const auditQuery = pageQuery.extend({ actor: optionalText, action: optionalText, subject: optionalText });

/** Who did what to which vessel, node or account; the newest first. */
export const audit: Route<object> = {
  method: 'get',
  path: '/admin/audit',
  access: 'admin',
  body: nothingSchema,
  handle: async ({ store, request }) => {
    const { limit, cursor, ...filter } = auditQuery.parse(request.query);
    const rows = await store.audit.list(filter, { limit: limit + 1, before: cursor });
    const { page: entries, next } = pageOf(rows, limit, ({ id }) => id);
    return {
      json: { entries, next },
      page: { view: 'admin/audit', title: 'Audit log', data: { entries, next, filter } },
    };
  },
};
