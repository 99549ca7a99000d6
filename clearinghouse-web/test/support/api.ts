import { generateIdentity, type Identity } from '@potluck/protocol';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever the site answers, and assert on it.
  readonly body: any;
}

/** A JSON client with a cookie of its own, as a program would be. */
export class Api {
  readonly url: string;
  readonly identity: Identity = generateIdentity();
  cookie = '';
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
        ...(this.cookie !== '' && { cookie: this.cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method === 'POST' && this.csrfToken !== '' && { 'x-csrf-token': this.csrfToken }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) this.cookie = line.split(';')[0] ?? '';
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
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

  async register(username: string, password = `secret of ${username}`): Promise<ApiAnswer> {
    return await this.post('/register', { username, password, publicKey: this.identity.publicJwk });
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
