import type { BrowserContext } from '@playwright/test';
import { ROUTES } from '@potluck/clearinghouse-web';

/** Not pages, whatever is asked for: a download, a stream, and what only programs read. */
const NO_PAGES = [
  '/download/:token/potluck-linux-x64.tgz',
  '/events',
  '/session',
  '/advertisements/:keyId',
  '/api/openapi.json',
];
const PAGES = ROUTES.filter(({ method, path }) => method === 'get' && !NO_PAGES.includes(path));

export const WHO = ['a visitor', 'a user', 'an administrator'] as const;

/** What somebody may see, and of what he may not see one page: he is sent to log in, or is told why not. */
export function pagesFor(who: (typeof WHO)[number]): string[] {
  const [own, others] = (
    {
      'a visitor': [['anyone'], ['user', 'admin']],
      'a user': [['anyone', 'user'], ['admin']],
      // All else looks to him as to any user.
      'an administrator': [['admin'], ['user']],
    } as const
  )[who];
  const pathsOf = (kinds: readonly string[]) =>
    PAGES.filter(({ access }) => kinds.includes(access)).map(({ path }) => path);
  return [...pathsOf(own), ...others.flatMap((kind) => pathsOf([kind]).slice(0, 1)), '/nowhere'];
}

/** The path with each parameter filled in. @throws RangeError: there is none for one of them */
export function filled(path: string, parameters: Readonly<Record<string, string>>): string {
  return path.replace(/:(\w+)/g, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new RangeError(`expected a value for the parameter "${name}" of ${path}`);
    return value;
  });
}

/** What the pages of a browser complain about, and what they want from anybody but the site. Refusals are asked for. */
export function complaintsIn(context: BrowserContext, url: string): string[] {
  const complaints: string[] = [];
  context.on('weberror', (error) => complaints.push(`${error.page()?.url()}: ${error.error().message}`));
  context.on('dialog', async (dialog) => {
    complaints.push(`${dialog.page()?.url()}: asks "${dialog.message()}"`);
    await dialog.dismiss();
  });
  context.on('console', (message) => {
    const isRefusal = /^Failed to load resource: the server responded with a status of (4\d\d|503)/.test(
      message.text(),
    );
    if (!['error', 'warning'].includes(message.type()) || isRefusal) return;
    complaints.push(`${message.page()?.url()}: ${message.text()}`);
  });
  context.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url))
      complaints.push(`asks ${request.url()}`);
  });
  return complaints;
}
