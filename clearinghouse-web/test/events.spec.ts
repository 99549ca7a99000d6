import assert from 'node:assert/strict';
import { EVENT_LIMITS } from '../src/limits.ts';
import type { Api } from './support/api.ts';
import { eventually, Site } from './support/site.ts';

/** What a page hears. */
class Listener {
  readonly #abort = new AbortController();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = '';

  private constructor(body: ReadableStream<Uint8Array>, abort: AbortController) {
    this.#abort = abort;
    this.#reader = body.getReader();
  }

  static async ask(api: Api): Promise<Response & { abort: AbortController }> {
    const abort = new AbortController();
    const headers = { accept: 'text/event-stream', cookie: api.cookie };
    return Object.assign(await fetch(`${api.url}/events`, { headers, signal: abort.signal }), { abort });
  }

  static async open(api: Api): Promise<Listener> {
    const response = await Listener.ask(api);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
    assert.ok(response.body);
    const listener = new Listener(response.body, response.abort);
    assert.equal(await listener.next(), 'open');
    return listener;
  }

  /** Resolves when the site has ended it. */
  async end(): Promise<void> {
    while (!(await this.#reader.read()).done);
  }

  async next(): Promise<string> {
    for (;;) {
      const [, event = '', rest = ''] = /^event: (\w+)\ndata: \{\}\n\n([\s\S]*)$/.exec(this.#text) ?? [];
      if (event !== '') {
        this.#text = rest;
        return event;
      }
      this.#text += Buffer.from((await this.#reader.read()).value ?? []).toString();
    }
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
    this.#reader.closed.catch(() => undefined);
  }
}

describe('an open page', () => {
  let site: Site;
  let donor: Api;
  let user: Api;

  before(async () => {
    site = await Site.start();
    donor = await site.api().join('donor');
    user = await site.api().join('user');
  });
  after(async () => await site[Symbol.asyncDispose]());

  it('is told when vessels are acquired, when their node goes, and when they are released', async () => {
    const peer = await site.peer(donor, 'donor', 2);
    using page = await Listener.open(user);
    await user.post('/vessels/acquire', { count: 1 });
    assert.equal(await page.next(), 'changed');
    await peer.hangUp();
    assert.equal(await page.next(), 'changed');
    assert.equal((await user.get('/vessels')).body.vessels[0]?.active, false);
    await user.post('/vessels/release', { all: true });
    assert.equal(await page.next(), 'changed');
  });

  it('is told nothing of what is somebody else’s', async () => {
    const peer = await site.peer(donor, 'donor', 2);
    const stranger = await site.api().join('stranger');
    using page = await Listener.open(stranger);
    const heard = page.next();
    // What the stranger were told of this would be gathered, and said, before what this one is told.
    using own = await Listener.open(user);
    site.clearinghouse.bus.publish('vessel.changed', { account: 'another' });
    await user.post('/vessels/acquire', { count: 1 });
    assert.equal(await own.next(), 'changed');
    await peer.hangUp();
    assert.equal(await own.next(), 'changed');
    assert.equal(await Promise.race([heard, 'nothing']), 'nothing');
    await stranger.post('/vessels/release', { all: true });
    assert.equal(await heard, 'changed', 'the first that it hears is of its own');
  });

  it('may be one of several, and one past the limit is refused', async () => {
    const reader = await site.api().join('reader');
    const pages = [];
    for (let index = 0; index < EVENT_LIMITS.streamsPerAccount; index += 1) pages.push(await Listener.open(reader));
    const refused = await Listener.ask(reader);
    assert.equal(refused.status, 429);
    await refused.body?.cancel();
    for (const page of pages) page[Symbol.dispose]();
    const next = await eventually(async () => {
      const response = await Listener.ask(reader);
      if (response.status === 200) return response;
      await response.body?.cancel();
      return undefined;
    });
    next.abort.abort();
  });

  it('hears nothing more once its user was banned', async () => {
    const administrator = await site.administrator('chief');
    using page = await Listener.open(await site.api().join('rascal'));
    assert.equal((await administrator.post('/admin/users/rascal/ban', { reason: 'spam' })).status, 200);
    await page.end();
  });

  it('is only for somebody who is logged in', async () => {
    const nobody = site.api();
    const response = await fetch(`${nobody.url}/events`, {
      headers: { accept: 'text/event-stream' },
      redirect: 'manual',
    });
    assert.ok([303, 401].includes(response.status));
    await response.body?.cancel();
  });
});
