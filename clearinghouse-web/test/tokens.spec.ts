import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { TOKEN_PREFIX } from '@potluck/protocol';
import { LIMITS } from '../src/limits.ts';
import type { Api, ApiAnswer } from './support/api.ts';
import { Site } from './support/site.ts';

const DAYS = LIMITS.tokenMs / 86_400_000;

describe('API tokens', () => {
  let site: Site;
  let user: Api;
  before(async () => {
    site = await Site.start();
    user = await site.api().join('user');
  });
  after(async () => await site[Symbol.asyncDispose]());

  const made = async (change: object = {}): Promise<ApiAnswer> =>
    await user.post('/account/tokens', {
      ...{ name: 'a program', scopes: ['account'], days: 30, current: 'secret of user' },
      ...change,
    });

  it('are shown once, begin so that a leaked one is known, and are kept as their SHA-256', async () => {
    const { secret } = (await made()).body;
    assert.match(secret, new RegExp(`^${TOKEN_PREFIX}[A-Za-z0-9_-]{43}$`));
    const hash = createHash('sha256').update(secret.slice(TOKEN_PREFIX.length)).digest('base64url');
    assert.equal(site.rows('SELECT id FROM tokens WHERE secret_hash = ?', hash).length, 1);
    const list = (await user.get('/account/tokens')).text;
    assert.doesNotMatch(list, new RegExp(secret));
    assert.match(list, new RegExp(`"hint":"${secret.slice(0, TOKEN_PREFIX.length + 4)}"`));
    for (const row of site.rows('SELECT * FROM tokens'))
      assert.doesNotMatch(JSON.stringify(row), new RegExp(secret.slice(8)));
  });

  it('open what they are for, without a cookie or a CSRF token, and nothing else', async () => {
    const reader = (await made({ scopes: ['vessels:read'] })).body.secret;
    assert.deepEqual((await user.bearing(reader, 'GET', '/vessels')).body.vessels, []);
    const refused = await user.bearing(reader, 'POST', '/vessels/release', { all: true });
    assert.equal(refused.status, 403);
    assert.equal(refused.body.code, 'FORBIDDEN');
    assert.deepEqual(refused.body.details, { scope: 'vessels:write' });
    const both = (await made({ scopes: ['vessels:read', 'vessels:write', 'vessels:write'] })).body.secret;
    assert.equal((await user.bearing(both, 'POST', '/vessels/release', { all: true })).status, 200);
  });

  it('cannot do what is for a person: make tokens, change the password, end sessions', async () => {
    const all = (await made({ scopes: ['account', 'vessels:read', 'vessels:write', 'donations', 'admin'] })).body
      .secret;
    const body = { name: 'x', scopes: ['account'], days: 1, current: 'secret of user' };
    for (const path of ['/account/tokens', '/account/password', '/account/sessions/end']) {
      assert.equal((await user.bearing(all, 'POST', path, body)).body.code, 'FORBIDDEN', path);
      assert.equal((await user.signed('POST', path, body)).body.code, 'FORBIDDEN', path);
    }
  });

  it('need the password to be made', async () => {
    assert.equal((await made({ current: 'wrong' })).body.code, 'WRONG_PASSWORD');
  });

  it('say when they were used', async () => {
    const { secret, token } = (await made()).body;
    const usedAt = async (): Promise<unknown> =>
      site.rows('SELECT used_at FROM tokens WHERE id = ?', token.id)[0]?.used_at;
    assert.equal(await usedAt(), null);
    const before = Date.now();
    await user.bearing(secret, 'GET', '/account');
    assert.ok(Number(await usedAt()) >= before);
  });

  it('are refused once they are revoked, and only their own user can', async () => {
    const { secret, token } = (await made()).body;
    const other = await site.api().join('other');
    assert.equal((await other.post('/account/tokens/revoke', { id: token.id })).body.code, 'NO_SUCH_THING');
    assert.equal((await user.bearing(secret, 'GET', '/account')).status, 200);
    assert.equal((await user.post('/account/tokens/revoke', { id: token.id })).status, 200);
    const refused = await user.bearing(secret, 'GET', '/account');
    assert.equal(refused.status, 401);
    assert.equal(refused.body.code, 'BAD_TOKEN');
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer, Potluck');
  });

  it('leave in the audit log who made and who revoked them, and nothing of the secret', async () => {
    const { secret, token } = (await made()).body;
    await user.post('/account/tokens/revoke', { id: token.id });
    const rows = site.rows('SELECT actor, subject, action, details FROM audit WHERE details LIKE ?', `%${token.id}%`);
    const [account] = site.rows('SELECT id FROM accounts WHERE username = ?', 'user');
    assert.deepEqual(rows.map(({ action }) => action).sort(), ['account.token-make', 'account.token-revoke']);
    for (const { actor, subject, details } of rows) {
      assert.deepEqual([actor, subject], [account?.id, account?.id]);
      assert.ok(!String(details).includes(secret.slice(TOKEN_PREFIX.length)));
    }
  });

  it('are refused once they have expired, and say so', async () => {
    const { secret, token } = (await made()).body;
    site.write('UPDATE tokens SET expires_at = ? WHERE id = ?', Date.now() - 1, token.id);
    const refused = await user.bearing(secret, 'GET', '/account');
    assert.equal(refused.body.code, 'TOKEN_EXPIRED');
  });

  it('help no cookie: a bad one is refused even when a session comes with it', async () => {
    const { cookie } = user;
    for (const authorization of ['Bearer', 'Bearer ', 'Bearer nonsense', `bearer ${TOKEN_PREFIX}${'x'.repeat(43)}`]) {
      assert.equal((await user.bare('GET', '/account', '', { authorization, cookie })).body.code, 'BAD_TOKEN');
    }
  });

  for (const [what, change, at, past] of [
    ['days', 'days', DAYS, DAYS + 1],
    ['characters of their name', 'name', 'n'.repeat(LIMITS.labelLength), 'n'.repeat(LIMITS.labelLength + 1)],
  ] as const) {
    it(`are limited in ${what}`, async () => {
      assert.equal((await made({ [change]: at })).status, 201);
      assert.equal((await made({ [change]: past })).body.code, 'INVALID_REQUEST');
    });
  }

  for (const [what, change] of [
    ['no scope', { scopes: [] }],
    ['an unknown scope', { scopes: ['everything'] }],
    ['no name', { name: '  ' }],
    ['a name that turns what stands beside it', { name: 'cod.\u202Eexe' }],
    ['a name that a terminal obeys', { name: '\u001B[2Jscript' }],
    ['a name in two lines', { name: 'one\u2028two' }],
    ['no time', { days: 0 }],
  ] as const) {
    it(`are not made with ${what}`, async () => {
      assert.equal((await made(change)).body.code, 'INVALID_REQUEST');
    });
  }

  it(`are at most ${LIMITS.tokensPerAccount}`, async () => {
    const many = await site.api().join('many');
    const make = async () => await many.token('many', 'account').catch(() => undefined);
    for (let count = 0; count < LIMITS.tokensPerAccount; count += 1) assert.ok(await make());
    const body = { name: 'x', scopes: ['account'], days: 1, current: 'secret of many' };
    assert.equal((await many.post('/account/tokens', body)).body.code, 'TOO_MANY');
  });

  it('come in pages', async () => {
    const reader = await site.api().join('pager');
    for (const scope of ['account', 'donations', 'vessels:read']) await reader.token('pager', scope);
    const seen: string[] = [];
    let path: string | undefined = '/account/tokens?limit=2';
    let pages = 0;
    while (path !== undefined) {
      const answer: ApiAnswer = await reader.get(path);
      seen.push(...JSON.parse(answer.text).tokens.map(({ id }: { id: string }) => id));
      path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
      assert.equal(path !== undefined, answer.body.next !== undefined);
      pages += 1;
    }
    assert.deepEqual([pages, new Set(seen).size], [2, 3]);
    for (const query of [
      `limit=${LIMITS.pageLongest + 1}`,
      'limit=0',
      'limit=x',
      'cursor=nonsense',
      `cursor=${'a'.repeat(LIMITS.cursorLength + 1)}`,
    ]) {
      assert.equal((await reader.get(`/account/tokens?${query}`)).body.code, 'INVALID_REQUEST', query);
    }
    assert.equal((await reader.get(`/account/tokens?limit=${LIMITS.pageLongest}`)).status, 200);
  });

  it('are guessed at so often from one address, and a good one is let in all the same', async () => {
    const { secret } = (await made()).body;
    const key = 'token:address:127.0.0.1';
    const guess = async () => (await user.bearing(`${TOKEN_PREFIX}guess`, 'GET', '/account')).body.code;
    site.spend(key, LIMITS.tokenFailures - 1);
    assert.equal(await guess(), 'BAD_TOKEN');
    assert.equal(await guess(), 'TOO_MANY_REQUESTS');
    assert.equal((await user.bearing(secret, 'GET', '/account')).status, 200);
  });
});

describe('a list of sessions', () => {
  let site: Site;
  before(async () => {
    site = await Site.start();
  });
  after(async () => await site[Symbol.asyncDispose]());

  interface Listed {
    readonly sessions: { id: string; current: boolean; network: string; agent: string }[];
  }
  const listOf = async (api: Api): Promise<Listed['sessions']> =>
    (JSON.parse((await api.get('/account/sessions')).text) as Listed).sessions;

  async function twice(username: string): Promise<[Api, Api]> {
    const here = await site.api().join(username);
    const there = await site.api().open();
    await there.post(
      '/login',
      { username, password: `secret of ${username}` },
      { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
    );
    await there.open();
    return [here, there];
  }

  it('says where and with what somebody is logged in, and which one asks', async () => {
    const [here] = await twice('alice');
    const sessions = await listOf(here);
    assert.deepEqual(
      sessions.map(({ current, network, agent }) => ({ current, network, agent })).sort((a) => (a.current ? -1 : 1)),
      [
        { current: true, network: '127.0.0.0/24', agent: 'Node.js' },
        { current: false, network: '127.0.0.0/24', agent: 'Firefox on Linux' },
      ],
    );
  });

  it('ends one, and no other account’s', async () => {
    const [here, there] = await twice('bob');
    const id = (await listOf(here)).find(({ current }) => !current)?.id;
    const mallory = await site.api().join('mallory');
    assert.equal((await mallory.post('/account/sessions/end', { session: id })).body.code, 'NO_SUCH_THING');
    assert.equal((await here.post('/account/sessions/end', { session: id })).status, 200);
    assert.equal((await there.get('/account')).body.code, 'NOT_AUTHENTICATED');
    assert.equal((await here.get('/account')).status, 200);
  });

  it('ends all others, or all: log out everywhere', async () => {
    const [here, there] = await twice('carol');
    assert.equal((await here.post('/account/sessions/end', { which: 'others' })).status, 200);
    assert.equal((await there.get('/account')).body.code, 'NOT_AUTHENTICATED');
    const { cookie } = here;
    assert.equal((await here.post('/account/sessions/end', { which: 'all' })).status, 200);
    here.cookie = cookie;
    assert.equal((await here.get('/account')).body.code, 'NOT_AUTHENTICATED');
  });

  it('forgets the browsers that it logs out, at a new password too, and keeps the one that asks', async () => {
    const known = (name: string): number =>
      site.rows('SELECT 1 FROM devices JOIN accounts ON id = account_id WHERE username = ?', name).length;
    const [here] = await twice('olga');
    assert.equal(known('olga'), 2);
    await here.post('/account/sessions/end', { which: 'others' });
    assert.equal(known('olga'), 1);
    await (await site.api().open()).login('olga');
    await here.post('/account/password', { current: 'secret of olga', password: 'a better secret' });
    assert.equal(known('olga'), 1);
    await here.login('olga', 'a better secret');
    assert.equal(known('olga'), 1, 'it was known still');
    await here.post('/account/sessions/end', { which: 'all' });
    assert.equal(known('olga'), 0);
  });

  it('wants to know which', async () => {
    const [here] = await twice('dave');
    for (const body of [{}, { session: 'x', which: 'all' }, { which: 'some' }]) {
      assert.equal((await here.post('/account/sessions/end', body)).body.code, 'INVALID_REQUEST');
    }
  });

  it('is shorter by the others after the password was changed, and the old password opens nothing', async () => {
    const [here, there] = await twice('erin');
    const body = { current: 'secret of erin', password: 'a better secret' };
    assert.equal((await here.post('/account/password', body)).status, 200);
    assert.equal((await listOf(here)).length, 1);
    assert.equal((await there.get('/account')).body.code, 'NOT_AUTHENTICATED');
    const again = await site.api().open();
    assert.equal((await again.login('erin')).body.code, 'WRONG_PASSWORD');
    assert.equal((await again.login('erin', 'a better secret')).status, 200);
    assert.equal((await here.post('/account/password', { ...body, password: 'ERIN' })).body.code, 'INVALID_REQUEST');
  });
});
