import assert from 'node:assert/strict';
import { scopeSchema, LIMITS as WIRE_LIMITS } from '@potluck/protocol';
import { LIMITS } from '../src/limits.ts';
import type { Api } from './support/api.ts';
import { Site } from './support/site.ts';

describe('the site', () => {
  let site: Site;
  before(async () => {
    site = await Site.start();
  });
  after(async () => {
    await site[Symbol.asyncDispose]();
  });

  describe('refuses changes that another site may have caused', () => {
    let api: Api;
    before(async () => {
      api = await site.api().join('victim');
    });

    for (const path of ['/register', '/login', '/logout', '/vessels/acquire', '/vessels/renew', '/vessels/release']) {
      it(`${path} without the session's token`, async () => {
        const answer = await api.post(path, {}, { 'x-csrf-token': '' });
        assert.equal(answer.status, 403);
        assert.equal(answer.body.code, 'CSRF');
      });
    }

    it('with the token of another session', async () => {
      const other = await site.api().open();
      assert.equal((await api.post('/logout', {}, { 'x-csrf-token': other.csrfToken })).body.code, 'CSRF');
    });

    it('from another origin, even with the token', async () => {
      for (const origin of ['https://evil.example', 'null']) {
        assert.equal((await api.post('/logout', {}, { origin })).body.code, 'CSRF');
      }
      assert.equal((await api.post('/vessels/renew', {}, { origin: api.url })).body.code, 'INVALID_REQUEST');
    });

    it('without taking away the session that the browser did not send along', async () => {
      const response = await fetch(`${api.url}/logout`, { method: 'POST', body: new URLSearchParams() });
      assert.equal(response.status, 403);
      assert.match(await response.text(), /This form has gone stale/);
      assert.equal(response.headers.get('set-cookie'), null);
    });

    it('and has done none of it', async () => {
      assert.equal((await api.get('/session')).body.user?.username, 'victim');
    });
  });

  it('answers programs with a problem document, and people with a page', async () => {
    const program = await site.api().get('/nowhere');
    assert.equal(program.status, 404);
    assert.equal(program.body.code, 'NO_SUCH_PAGE');
    assert.equal(program.body.status, 404);
    const person = await site.api().get('/nowhere', { accept: 'text/html' });
    assert.equal(person.status, 404);
    assert.match(person.text, /<h1>There is nothing here<\/h1>/);
  });

  it('sends a policy by which no script in a page runs, and none from elsewhere', async () => {
    const { headers } = await site.api().get('/', { accept: 'text/html' });
    const policy = headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });

  it('shows the notices that it has, and nothing for another name', async () => {
    const api = await site.api().join('reader');
    const page = async (notice: string) => (await api.get(`/vessels?notice=${notice}`, { accept: 'text/html' })).text;
    assert.match(await page('released'), /role="status"/);
    for (const name of ['constructor', '__proto__', 'x']) assert.doesNotMatch(await page(name), /role="status"/);
  });

  it('escapes what people enter', async () => {
    const api = await site.api().open();
    const body = new URLSearchParams({ username: '"><script>x</script>', password: 'p', _csrf: api.csrfToken });
    const response = await fetch(`${api.url}/login`, { method: 'POST', headers: { cookie: api.cookie }, body });
    const text = await response.text();
    assert.equal(response.status, 401);
    assert.doesNotMatch(text, /<script>x/);
    assert.match(text, /&quot;&gt;&lt;script&gt;x/);
  });

  it('refuses a body past its limit, and one that is not JSON', async () => {
    const api = await site.api().open();
    const large = await api.post('/login', { username: 'x', password: 'x'.repeat(LIMITS.bodyBytes) });
    assert.equal(large.status, 413);
    assert.equal(large.body.code, 'TOO_LARGE');
    const response = await fetch(`${api.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"half',
    });
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as { code: string }).code, 'INVALID_REQUEST');
  });

  it('keeps connections longer than a proxy does, so that nothing is sent on one that was just closed', async () => {
    const { headers } = await site.api().get('/');
    assert.equal(headers.get('keep-alive'), `timeout=${LIMITS.keepAliveMs / 1000}`);
  });

  it('asks nobody in particular to log in', async () => {
    for (const path of ['/vessels', '/donations']) {
      const answer = await site.api().get(path);
      assert.equal(answer.status, 401);
      assert.equal(answer.body.code, 'NOT_AUTHENTICATED');
    }
  });

  it('says what is wrong with a number of vessels or a handle', async () => {
    const api = await site.api().join('chooser');
    for (const count of [0, -1, 1.5, 'many', LIMITS.vesselsPerRequest + 1]) {
      assert.equal((await api.post('/vessels/acquire', { count })).body.code, 'INVALID_REQUEST');
    }
    for (const handles of [[], ['nonsense'], [`${'a'.repeat(43)}:`], 'x']) {
      assert.equal((await api.post('/vessels/release', { handles })).body.code, 'INVALID_REQUEST');
    }
    const unknown = await api.post('/vessels/release', { handles: [`${'a'.repeat(43)}:v1`] });
    assert.equal(unknown.body.code, 'NO_SUCH_VESSEL');
  });

  it(`looks into no list that is too long, and of what is wrong tells ${LIMITS.fieldsTold} places and how many more there are`, async () => {
    const api = await site.api().join('flooder');
    const wrong = async (path: string, field: string, length: number): Promise<string> => {
      const { body } = await api.post(path, { count: 1, [field]: Array.from({ length }, () => 7) });
      assert.equal(body.code, 'INVALID_REQUEST');
      return body.detail;
    };
    for (const [path, field, most] of [
      ['/vessels/release', 'handles', LIMITS.vesselsPerRequest],
      ['/vessels/renew', 'handles', LIMITS.vesselsPerRequest],
      ['/vessels/acquire', 'rules', WIRE_LIMITS.rules],
    ] as const) {
      assert.match(await wrong(path, field, most), new RegExp(`^${field}\\.0: `));
      assert.match(await wrong(path, field, most + 1), new RegExp(`^${field}: expected at most ${most} \\w+$`));
    }
    const all = await wrong('/vessels/release', 'handles', LIMITS.fieldsTold);
    assert.match(all, new RegExp(`; handles.${LIMITS.fieldsTold - 1}: [^;]*$`));
    const more = await wrong('/vessels/release', 'handles', LIMITS.fieldsTold + 1);
    assert.match(more, new RegExp(`; handles.${LIMITS.fieldsTold - 1}: [^;]*; and 1 more$`));
    const scopes = Array.from({ length: scopeSchema.options.length + 1 }, () => 7);
    const token = await api.post('/account/tokens', { name: 'one', days: 1, current: 'secret', scopes });
    assert.deepEqual(token.body.details, { fields: { scopes: `expected at most ${scopes.length - 1} scopes` } });
  });
});
