import { z } from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { documentOf } from './openapi.ts';
import type { Route } from './route.ts';
import { nothingSchema } from './schemas.ts';

/** The routes that describe the others: `routes` is asked when all of them are there. */
export function referenceOf(routes: () => readonly Route<unknown>[]): Route<object>[] {
  let made: Record<string, unknown> | undefined;
  const document = (): Record<string, unknown> => {
    made ??= documentOf(routes(), manifest.version);
    return made;
  };
  return [
    {
      method: 'get',
      path: '/api/openapi.json',
      summary: 'This reference as a document of OpenAPI 3.1.',
      access: 'anyone',
      body: nothingSchema,
      result: z.looseObject({ openapi: z.string() }),
      handle: async () => ({ json: document() }),
    },
    {
      method: 'get',
      path: '/api',
      summary: 'The reference of the API, for people.',
      access: 'anyone',
      body: nothingSchema,
      result: z.object({ document: z.string() }),
      handle: async ({ publicUrl }) => ({
        json: { document: `${publicUrl()}/api/openapi.json` },
        page: { view: 'api', title: 'API', data: { document: document() } },
      }),
    },
  ];
}
