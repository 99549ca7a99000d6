import { problemSchema, SITE_SCHEME, scopeSchema, shortageSchema } from '@potluck/protocol';
import { z } from 'zod';
import { kindOf, type PortalCode, statusOf } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { scopeOf } from './caller.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

/** What any request can be refused with, by who may ask. */
const ALWAYS: readonly PortalCode[] = ['INVALID_REQUEST', 'TOO_MANY_REQUESTS', 'INTERNAL'];
const OF_SOMEBODY: readonly PortalCode[] = [
  'NOT_AUTHENTICATED',
  'BAD_SIGNATURE',
  'REPLAYED',
  'UNKNOWN_KEY',
  'BAD_TOKEN',
  'TOKEN_EXPIRED',
  'FORBIDDEN',
  'BANNED',
];

const DESCRIPTION = `Every page of the site answers programs in JSON. A program brings an API token
(\`Authorization: Bearer potluck_...\`), or signs each request by the key of its account (\`Authorization: ${SITE_SCHEME} JWS\`).
A refusal is a problem document (RFC 9457) with a \`code\` and one of five \`kind\`s. A list takes \`limit\` and \`cursor\`; where
it goes on, \`next\` in the answer is the next cursor, and \`Link\` the next address. \`RateLimit\` says how many requests are left:
${LIMITS.requestsPerMinute} a minute for an account.`;

/** The document of OpenAPI 3.1, made of the very schemas by which requests are checked and answers are tested. */
export function documentOf(routes: readonly Route<unknown>[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Potluck clearinghouse', version, description: DESCRIPTION.replaceAll('\n', ' ') },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: problem(), Shortage: schemaOf(shortageSchema, 'output') },
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'potluck',
          description: 'A browser; with x-csrf-token on POST.',
        },
        token: { type: 'http', scheme: 'bearer', description: `Scopes: ${scopeSchema.options.join(', ')}.` },
        signature: { type: 'http', scheme: SITE_SCHEME, description: 'A JWS over this one request.' },
      },
    },
  };
}

/** Of one code the details have a schema of their own. */
function problem(): Json {
  const code: PortalCode = 'UNABLE_TO_ACQUIRE';
  const ofOthers = { properties: { code: { not: { const: code } } } };
  const own = { properties: { details: { $ref: '#/components/schemas/Shortage' } } };
  return { ...schemaOf(problemSchema, 'output'), anyOf: [ofOthers, own] };
}

/** `getVessels`, `postVesselsAcquire`: the name of a route in the document and in its client. */
export function operationIdOf({ method, path }: Route<unknown>): string {
  const words = path.split(/[^A-Za-z0-9:]+/).filter((word) => word !== '');
  const named = words.map((word) => (word.startsWith(':') ? `By${capital(word.slice(1))}` : capital(word)));
  return method + (named.join('') || 'Home');
}

function operationOf(route: Route<unknown>): Json {
  const { summary, produces = 'application/json', result } = route;
  const status = String(route.success ?? 200);
  const body = schemaOf(route.body, 'input');
  const hasBody = route.method === 'post' && Object.keys(Object(body.properties)).length > 0;
  const scope = scopeOf(route);
  return {
    operationId: operationIdOf(route),
    summary,
    ...(route.access === 'admin' && { description: 'For administrators.' }),
    ...(scope !== undefined && { 'x-scope': scope }),
    parameters: [...pathParametersOf(route), ...queryParametersOf(route)],
    ...(hasBody && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [status]: {
        description: 'It was done.',
        content: { [produces]: { schema: result === undefined ? {} : schemaOf(result, 'output') } },
      },
      ...problemsOf(route),
    },
    security: securityOf(route),
  };
}

function pathParametersOf({ path }: Route<unknown>): Json[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParametersOf({ query }: Route<unknown>): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(query, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

/** One response for each status, with the codes and kinds that it may have. */
function problemsOf(route: Route<unknown>): Json {
  const codes = new Set([...(route.access === 'anyone' ? [] : OF_SOMEBODY), ...(route.problems ?? []), ...ALWAYS]);
  if (route.access === 'admin') codes.add('NOT_ADMINISTRATOR');
  if (route.method === 'post') codes.add('CSRF').add('TOO_LARGE');
  const schema = { $ref: '#/components/schemas/Problem' };
  const byStatus = Map.groupBy(codes, statusOf);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, some]) => [
        String(status),
        {
          description: some.map((code) => `\`${code}\` (${kindOf(code)})`).join(', '),
          'x-codes': some,
          content: { 'application/problem+json': { schema } },
        },
      ]),
  );
}

function securityOf(route: Route<unknown>): Json[] {
  if (route.access === 'anyone') return [];
  const byToken = scopeOf(route) === undefined ? [] : [{ token: [] }];
  return [{ session: [] }, ...(route.inPerson ? [] : [{ signature: [] }]), ...byToken];
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return json;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
