import { generateIdentity, type HeldVessel, type Identity, signKeyProof } from '@potluck/protocol';

interface PortalAnswer {
  readonly code?: string;
  readonly csrfToken: string;
  readonly free: number;
  readonly vessels: HeldVessel[];
}

/** Somebody who uses the JSON API. */
export class User {
  readonly identity: Identity;
  readonly #url: string;
  #cookie = '';
  #csrfToken = '';

  constructor(url: string, identity: Identity = generateIdentity()) {
    this.identity = identity;
    this.#url = url;
  }

  async ask(path: string, body?: object): Promise<PortalAnswer> {
    const headers = { accept: 'application/json', cookie: this.#cookie, 'x-csrf-token': this.#csrfToken };
    const response = await fetch(this.#url + path, {
      headers: { ...headers, 'content-type': 'application/json' },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    this.#cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? this.#cookie;
    const answer = (await response.json()) as PortalAnswer;
    this.#csrfToken = answer.csrfToken ?? this.#csrfToken;
    return answer;
  }

  async join(username: string): Promise<this> {
    await this.ask('/session');
    const password = `secret of ${username}`;
    const keyProof = await signKeyProof(this.identity, { audience: this.#url, subject: username });
    await this.ask('/register', { username, password, keyProof });
    await this.ask('/login', { username, password });
    return this;
  }

  /** Asks until the answer will do; the test's own time limit ends it. */
  async until(path: string, willDo: (answer: PortalAnswer) => boolean): Promise<PortalAnswer> {
    for (;;) {
      const answer = await this.ask(path);
      if (willDo(answer)) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
