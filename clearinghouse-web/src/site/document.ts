import manifest from '../../package.json' with { type: 'json' };
import { documentOf } from './openapi.ts';
import { ROUTES } from './routes.ts';

/** The document of all routes, for what is made of it. */
export function apiDocument(): Record<string, unknown> {
  return documentOf(ROUTES, manifest.version);
}
