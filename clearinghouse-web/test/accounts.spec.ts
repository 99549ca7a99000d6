import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { hashPassword, verifyPassword } from '../src/password.ts';
import { Site } from './support/site.ts';

describe('passwords', () => {
  it('are kept as argon2id in a PHC string, and checked against it', async () => {
    const phc = await hashPassword('correct horse');
    assert.match(phc, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    assert.equal(await verifyPassword('correct horse', phc), true);
    assert.equal(await verifyPassword('wrong horse', phc), false);
    assert.notEqual(await hashPassword('correct horse'), phc);
  });

  it('are checked with the same work for a user who does not exist', async () => {
    assert.equal(await verifyPassword('anything', undefined), false);
    assert.equal(await verifyPassword('anything', 'not a hash'), false);
  });
});

describe('accounts', () => {
  let site: Site;
  before(async () => {
    site = await Site.start();
  });
  after(async () => {
    await site[Symbol.asyncDispose]();
  });

  it('register, log in, and know who they are', async () => {
    const api = await site.api().open();
    assert.equal((await api.get('/session')).body.user, null);
    const registered = await api.register('alice');
    assert.equal(registered.status, 201);
    assert.equal(registered.body.user?.keyId, api.identity.id);
    assert.equal((await api.login('alice')).status, 200);
    assert.equal((await api.get('/session')).body.user?.username, 'alice');
  });

  for (const [what, fields, expected] of [
    ['a short username', { username: 'ab' }, /username: expected a username of 3 to 40/],
    ['a username that starts with "_"', { username: '_abc' }, /username: expected/],
    ['a username with other characters', { username: 'ab c' }, /username: expected/],
    ['a short password', { password: '1234567' }, /password: expected a password of at least 8/],
    ['a password that is the username', { password: 'somebody' }, /password: expected a password other than/],
    ['a broken email', { email: 'nobody' }, /email: expected an email/],
    ['no key', { keyProof: undefined }, /keyProof: expected a line that is signed by your key/],
    ['what is no signed line', { keyProof: 'nonsense' }, /keyProof: expected a line that is signed by your key/],
    ['a public key alone', { keyProof: '{"kty":"OKP","crv":"Ed25519","x":"x"}' }, /keyProof: expected a line/],
  ] as const) {
    it(`refuse ${what}, and say what was expected`, async () => {
      const api = await site.api().open();
      const keyProof = await api.keyProof('somebody');
      const answer = await api.post('/register', {
        username: 'somebody',
        password: 'long enough',
        keyProof,
        ...fields,
      });
      assert.equal(answer.status, 400);
      assert.equal(answer.body.code, 'INVALID_REQUEST');
      assert.match(answer.body.detail, expected);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
    });
  }

  it('refuse a private key, so that it is never kept here', async () => {
    const api = await site.api().open();
    const keyProof = JSON.stringify(api.identity.privateJwk);
    const answer = await api.post('/register', { username: 'private1', password: 'long enough', keyProof });
    assert.equal(answer.body.code, 'INVALID_REQUEST');
    assert.match(answer.body.detail, /got a private key/);
    assert.doesNotMatch(JSON.stringify(answer.body), new RegExp(api.identity.privateJwk.d));
  });

  it('refuse a name that is taken, in whatever case', async () => {
    const api = await site.api().open();
    await api.register('taken');
    assert.equal((await api.register('TAKEN')).body.code, 'USERNAME_TAKEN');
  });

  it('answer a wrong password and an unknown user alike', async () => {
    const api = await site.api().open();
    await api.register('known');
    const wrong = await api.login('known', 'wrong password');
    const unknown = await api.login('unknown', 'wrong password');
    assert.equal(wrong.status, 401);
    assert.equal(wrong.body.code, 'WRONG_PASSWORD');
    assert.deepEqual(unknown.body, wrong.body);
  });
});

describe('sessions', () => {
  let site: Site;
  before(async () => {
    site = await Site.start();
  });
  after(async () => {
    await site[Symbol.asyncDispose]();
  });

  it('are rotated at the log-in, and only their SHA-256 is stored', async () => {
    const api = await site.api().open();
    await api.register('rotate');
    const before = api.cookie;
    await api.login('rotate');
    assert.notEqual(api.cookie, before);
    const token = api.cookie.split('=')[1] ?? '';
    const hashes = site.rows('SELECT token_hash FROM sessions').map((row) => row.token_hash);
    assert.deepEqual(hashes, [createHash('sha256').update(token).digest('base64url')]);
    const old = site.api();
    old.cookie = before;
    assert.equal((await old.get('/session')).body.user, null);
  });

  it('end at the log-out', async () => {
    const api = await site.api().join('leaver');
    const before = api.cookie;
    assert.equal((await api.post('/logout', {})).status, 200);
    api.cookie = before;
    assert.equal((await api.get('/vessels')).body.code, 'NOT_AUTHENTICATED');
  });

  it('have a cookie that scripts cannot read and other sites do not send', async () => {
    const { headers } = await site.api().get('/session');
    assert.match(
      headers.get('set-cookie') ?? '',
      /^potluck=[A-Za-z0-9_-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it('have a cookie only for https when the site is reached by it', async () => {
    await using secure = await Site.start({ publicUrl: 'https://potluck.example/' });
    const response = await fetch(`http://127.0.0.1:${secure.port}/session`, {
      headers: { accept: 'application/json' },
    });
    await response.text();
    assert.match(response.headers.get('set-cookie') ?? '', /^__Host-potluck=.*; Secure/);
    assert.match(response.headers.get('strict-transport-security') ?? '', /max-age/);
  });

  it('lead people to the log-in, and back to where they wanted to go', async () => {
    const { status, headers } = await site.api().get('/donations', { accept: 'text/html' });
    assert.equal(status, 303);
    assert.equal(headers.get('location'), '/login?next=%2Fdonations');
  });

  it('never lead anywhere else after the log-in', async () => {
    const api = await site.api().open();
    await api.register('wanderer');
    const form = { username: 'wanderer', password: 'secret of wanderer', _csrf: api.csrfToken, next: '//evil.example' };
    const response = await fetch(`${api.url}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: api.cookie },
      body: new URLSearchParams(form),
    });
    assert.equal(response.status, 303);
    assert.equal(response.headers.get('location'), '/');
  });
});
