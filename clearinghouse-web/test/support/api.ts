import assert from 'node:assert/strict';
import {
  generateIdentity,
  type Identity,
  type SiteRequestInit,
  signKeyProof,
  signSiteRequest,
} from '@potluck/protocol';
import { ROUTES } from '../../src/site/routes.ts';

export interface VesselView {
  readonly handle: string;
  readonly node: string;
  readonly vessel: string;
  readonly address: { host: string; port: number };
  readonly active: boolean;
  readonly expiresAt: number;
  readonly warnAt: number;
  readonly messports: readonly number[];
  readonly connports: readonly number[];
}

/** Members of all answers; which of them there are is what the tests assert. */
interface ApiBody {
  readonly advertisements: readonly string[];
  readonly checker: string;
  readonly compiler: string;
  readonly code: string;
  readonly kind: string;
  readonly username: string;
  readonly detail: string;
  readonly status: number;
  readonly user: { username: string; keyId: string } | null;
  readonly csrfToken: string;
  readonly credits: { total: number; used: number };
  readonly terms: Readonly<Record<string, number>>;
  readonly vessels: readonly VesselView[];
  readonly free: number;
  readonly donations: readonly unknown[];
  readonly downloadUrl: string;
  readonly entries: readonly { actor: string; action: string; subject: string; details: { reason: string } }[];
  readonly next: string | undefined;
  readonly stopped: { left: number; since: number; reason: string } | null;
  readonly node: { life: string | null; held: number; reason: string | null };
  readonly nodes: readonly unknown[];
  readonly users: readonly { username: string }[];
  readonly leases: readonly { holder: string | null }[];
  readonly secret: string;
  readonly token: { readonly id: string };
  readonly details: Readonly<Record<string, unknown>>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: ApiBody;
}

/** A JSON client with a cookie of its own, as a program would be. */
export class Api {
  readonly url: string;
  readonly identity: Identity = generateIdentity();
  cookie = '';
  /** The cookie by which accounts know this browser. */
  device = '';
  csrfToken = '';

  constructor(url: string) {
    this.url = url;
  }

  async call(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const response = await fetch(new URL(path, this.url), {
      method,
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        ...(this.cookie !== '' && { cookie: [this.cookie, this.device].filter(Boolean).join('; ') }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method === 'POST' && this.csrfToken !== '' && { 'x-csrf-token': this.csrfToken }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [cookie = ''] = line.split(';');
      if (cookie.split('=')[0]?.endsWith('-known')) this.device = cookie;
      else this.cookie = cookie;
    }
    return await answerOf(response, method, path);
  }

  /** As a program does it: signed by the account's key, without a cookie. @param other what to sign instead. */
  async signed(method: 'GET' | 'POST', path: string, body?: object, other: Partial<SiteRequestInit> = {}) {
    const text = body === undefined ? '' : JSON.stringify(body);
    const init = { audience: this.url, method, path, body: Buffer.from(text), ...other };
    return await this.bare(method, path, text, { authorization: await signSiteRequest(this.identity, init) });
  }

  /** These headers and no others. */
  async bare(method: string, path: string, text: string, headers: Record<string, string>): Promise<ApiAnswer> {
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: { ...headers, ...(text !== '' && { 'content-type': 'application/json' }) },
      ...(text !== '' && { body: text }),
    });
    return await answerOf(response, method, path);
  }

  /** With an API token, and nothing else. */
  async bearing(token: string, method: 'GET' | 'POST', path: string, body?: object): Promise<ApiAnswer> {
    const text = body === undefined ? '' : JSON.stringify(body);
    return await this.bare(method, path, text, { authorization: `Bearer ${token}` });
  }

  /** @returns a new API token of the account that is logged in as `username`. */
  async token(username: string, ...scopes: readonly string[]): Promise<{ id: string; secret: string }> {
    const body = { name: scopes.join(' '), scopes, days: 1, current: `secret of ${username}` };
    const answer = await this.post('/account/tokens', body);
    return { id: answer.body.token.id, secret: answer.body.secret };
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return await this.call('GET', path, undefined, headers);
  }

  async post(path: string, body: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return await this.call('POST', path, body, headers);
  }

  async open(): Promise<this> {
    this.csrfToken = (await this.get('/session')).body.csrfToken;
    return this;
  }

  /** @param identity whose key is claimed; his own unless given. */
  async keyProof(username: string, identity: Identity = this.identity): Promise<string> {
    return await signKeyProof(identity, { audience: this.url, subject: username });
  }

  async register(username: string, password = `secret of ${username}`): Promise<ApiAnswer> {
    return await this.post('/register', { username, password, keyProof: await this.keyProof(username) });
  }

  async login(username: string, password = `secret of ${username}`): Promise<ApiAnswer> {
    const answer = await this.post('/login', { username, password });
    if (answer.status === 200) this.csrfToken = answer.body.csrfToken;
    return answer;
  }

  /** Registers and logs in. */
  async join(username: string): Promise<this> {
    await this.open();
    await this.register(username);
    await this.login(username);
    return this;
  }
}

const PATTERNS = ROUTES.map((route) => {
  return { route, pattern: new RegExp(`^${route.path.replaceAll(/:\w+/g, '[^/]+')}$`) };
});

/** Every answer of a route is what its schema says, and nothing else. */
function check(method: string, path: string, body: unknown): void {
  const [plain = ''] = path.split('?');
  const found = PATTERNS.find(({ route, pattern }) => route.method === method.toLowerCase() && pattern.test(plain));
  const { result } = found?.route ?? {};
  if (result !== undefined) assert.deepEqual(body, result.parse(body), `the answer of ${method} ${plain}`);
}

async function answerOf(response: Response, method: string, path: string): Promise<ApiAnswer> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  if (isJson && response.ok) check(method, path, JSON.parse(text));
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
}
