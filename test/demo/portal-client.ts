import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Identity, signKeyProof } from '@potluck/protocol';
import { z } from 'zod';
import { DemoError } from './errors.ts';

const sessionSchema = z.object({ csrfToken: z.string() });
const problemSchema = z.object({ detail: z.string() });

export const vesselSchema = z.object({
  handle: z.string(),
  vessel: z.string(),
  address: z.object({ host: z.string(), port: z.number() }),
  messports: z.array(z.number()),
  connports: z.array(z.number()),
});
export type AcquiredVessel = z.infer<typeof vesselSchema>;

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** A person at the portal, by the JSON form of its routes: keeps the session's cookie and its CSRF token. */
export class PortalClient {
  readonly #url: string;
  readonly #signal: AbortSignal;
  #cookie = '';

  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  async register(account: Account, identity: Identity): Promise<void> {
    const keyProof = await signKeyProof(identity, { audience: this.#url, subject: account.username });
    await this.#post('/register', { ...account, keyProof });
    await this.#post('/login', account);
  }

  async donations(): Promise<{ active: number; downloadUrl: string }> {
    const schema = z.object({ donations: z.array(z.object({ active: z.boolean() })), downloadUrl: z.string() });
    const { donations, downloadUrl } = schema.parse(await this.#get('/donations'));
    return { active: donations.filter(({ active }) => active).length, downloadUrl };
  }

  async acquire(count: number): Promise<AcquiredVessel[]> {
    const answer = await this.#post('/vessels/acquire', { count });
    return z.object({ vessels: z.array(vesselSchema) }).parse(answer).vessels;
  }

  async download(url: string, path: string): Promise<void> {
    const response = await fetch(new URL(url, this.#url), { signal: this.#signal });
    if (!response.ok || response.body === null) throw await this.#refusal(response);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(path));
  }

  async #get(path: string): Promise<unknown> {
    return await this.#send(path, { headers: { accept: 'application/json', cookie: this.#cookie } });
  }

  async #post(path: string, body: object): Promise<unknown> {
    const { csrfToken } = sessionSchema.parse(await this.#get('/session'));
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      cookie: this.#cookie,
      'x-csrf-token': csrfToken,
    };
    return await this.#send(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #send(path: string, init: RequestInit): Promise<unknown> {
    const response = await fetch(new URL(path, this.#url), { ...init, signal: this.#signal });
    const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0]);
    if (cookies.length > 0) this.#cookie = cookies.join('; ');
    if (!response.ok) throw await this.#refusal(response);
    return response.status === 204 ? undefined : await response.json();
  }

  async #refusal(response: Response): Promise<DemoError> {
    const problem = problemSchema.safeParse(await response.json().catch(() => undefined));
    const why = problem.success ? problem.data.detail : response.statusText;
    return new DemoError('SITE_REFUSED', `the site answered ${response.status}: ${why}`);
  }
}
