import type { BrowserContext } from '@playwright/test';
import { Api } from '../../clearinghouse-web/test/support/api.ts';

/** Somebody who has registered and logged in by the API: what his browser has of it. */
export interface Visitor {
  readonly username: string;
  readonly cookie: string;
  /** His personal link's token. */
  readonly token: string;
  readonly keyId: string;
  readonly api: Api;
}

/** Registers and logs in. */
export async function enter(url: string, username: string): Promise<Visitor> {
  const api = await new Api(url).join(username);
  const { downloadUrl } = (await api.get('/donations')).body;
  const token = new URL(downloadUrl).pathname.split('/')[2] ?? '';
  return { username, cookie: api.cookie, token, keyId: api.identity.id, api };
}

/** Gives a browser the visitor's session. */
export async function wear(context: BrowserContext, url: string, { cookie }: Visitor): Promise<void> {
  const [name = '', value = ''] = cookie.split('=');
  await context.addCookies([{ name, value, url }]);
}
