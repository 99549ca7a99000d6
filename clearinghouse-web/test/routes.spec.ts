import assert from 'node:assert/strict';
import { scopeSchema } from '@potluck/protocol';
import { scopeOf } from '../src/site/caller.ts';
import type { Route } from '../src/site/route.ts';
import { ROUTES } from '../src/site/routes.ts';
import { Api, type ApiAnswer } from './support/api.ts';
import { eventually, Site } from './support/site.ts';

/** Who asks, and by what he shows who he is. */
type Caller = 'nobody' | 'another user' | 'the user' | 'an administrator' | 'somebody banned';
const MEANS = ['a session', 'a signature', 'a token'] as const;
type Means = (typeof MEANS)[number];

/** What is sent to a route, and what the one whom it is for is answered. A new route is nobody's until it stands here. */
interface Sample {
  readonly body?: () => object;
  readonly parameters?: () => Readonly<Record<string, string>>;
  readonly status: number;
  /** What others get who are logged in, too; the same as the user unless given. */
  readonly others?: { status: number; code: string };
}

describe('who may do what', () => {
  let site: Site;
  let user: Api;
  let other: Api;
  let admin: Api;
  let banned: Api;
  let handle = '';
  let token = '';
  /** Of each account one for each scope; of the user one for all but that scope, and one that has expired. */
  const tokens = { good: new Map<Api, Map<string, string>>(), other: new Map<string, string>(), expired: '' };

  before(async () => {
    site = await Site.start();
    user = await site.api().join('user');
    other = await site.api().join('other');
    admin = await site.administrator('admin');
    banned = await site.api().join('banned');
    await admin.post('/admin/users/banned/ban', { reason: 'for the test' });
    await site.api().join('target');
    token = new URL((await user.get('/donations')).body.downloadUrl).pathname.split('/')[2] ?? '';
    for (let peers = 0; peers < 4; peers += 1) await site.peer(user, 'user', 1);
    for (const [api, name] of [
      [user, 'user'],
      [other, 'other'],
      [admin, 'admin'],
    ] as const) {
      const good = new Map<string, string>();
      for (const scope of scopeSchema.options) good.set(scope, (await api.token(name, scope)).secret);
      tokens.good.set(api, good);
    }
    for (const scope of scopeSchema.options) {
      const rest = scopeSchema.options.filter((one) => one !== scope);
      tokens.other.set(scope, (await user.token('user', ...rest)).secret);
    }
    const { id, secret } = await user.token('user', ...scopeSchema.options);
    site.write('UPDATE tokens SET expires_at = ? WHERE id = ?', Date.now() - 1, id);
    tokens.expired = secret;
  });
  /** The user holds one vessel and nobody else any; only what is amiss is asked for, for requests are counted. */
  beforeEach(async () => {
    site.write('DELETE FROM attempts');
    for (const api of [user, other, admin]) {
      if (held(api).length > (api === user ? 1 : 0)) await api.signed('POST', '/vessels/release', { all: true });
    }
    await eventually(async () => ((await user.get('/', { cookie: '' })).body.free > 0 ? true : undefined));
    if (held(user).length === 0) await user.signed('POST', '/vessels/acquire', { count: 1 });
    handle = held(user)[0] ?? '';
  });
  after(async () => await site[Symbol.asyncDispose]());

  const held = (api: Api): string[] =>
    site
      .rows(
        `SELECT node_id || ':' || name AS handle FROM vessels JOIN accounts ON accounts.id = account_id
         WHERE state = 'leased' AND key_id = ?`,
        api.identity.id,
      )
      .map((row) => String(row.handle));

  const notTheirs = { status: 404, code: 'NO_SUCH_VESSEL' };
  const SAMPLES: Readonly<Record<string, Sample>> = {
    'get /': { status: 200 },
    'get /map': { status: 200 },
    'get /status': { status: 200 },
    'get /events': { status: 400 },
    'get /session': { status: 200 },
    'get /api': { status: 200 },
    'get /api/openapi.json': { status: 200 },
    'get /account': { status: 200 },
    'post /account/password': { status: 401, body: () => ({ current: 'wrong', password: 'long enough' }) },
    'post /account/key': { status: 400 },
    'post /account/delete': { status: 401, body: () => ({ current: 'wrong' }) },
    'get /account/passkeys': { status: 200 },
    'post /account/passkeys/options': { status: 200 },
    'post /account/passkeys': { status: 400 },
    'post /account/passkeys/rename': { status: 404, body: () => ({ id: 'none', name: 'x' }) },
    'post /account/passkeys/remove': { status: 404, body: () => ({ id: 'none' }) },
    'post /login/passkey/options': { status: 200 },
    'post /login/passkey': { status: 400 },
    'get /account/sessions': { status: 200 },
    'get /account/credits': { status: 200 },
    'post /account/sessions/end': { status: 404, body: () => ({ session: 'none' }) },
    'get /account/tokens': { status: 200 },
    'post /account/tokens': { status: 400 },
    'post /account/tokens/revoke': { status: 404, body: () => ({ id: 'none' }) },
    'get /register': { status: 200 },
    'post /register': { status: 400 },
    'get /login': { status: 200 },
    'post /login': { status: 400 },
    'post /logout': { status: 200 },
    'get /vessels': { status: 200 },
    'get /run': { status: 200 },
    'get /vessels/:handle': { status: 200, parameters: () => ({ handle }), others: notTheirs },
    'post /vessels/acquire': { status: 201, body: () => ({ count: 1 }) },
    'post /vessels/renew': { status: 200, body: () => ({ handles: [handle] }), others: notTheirs },
    'post /vessels/release': { status: 200, body: () => ({ handles: [handle] }), others: notTheirs },
    'get /donations': { status: 200 },
    'get /download/:token': { status: 200, parameters: () => ({ token }) },
    'get /download/:token/potluck-linux-x64.tgz': { status: 503, parameters: () => ({ token }) },
    'post /admin/users/:username/ban': {
      status: 200,
      parameters: () => ({ username: 'target' }),
      body: () => ({ reason: 'for the test' }),
    },
    'post /admin/users/:username/unban': { status: 200, parameters: () => ({ username: 'target' }) },
    'post /admin/users/:username/delete': { status: 400, parameters: () => ({ username: 'target' }) },
    'get /admin': { status: 200 },
    'post /admin/emergency-stop': { status: 400 },
    'post /admin/emergency-stop/lift': { status: 200 },
    'post /admin/tasks/:task/retry': { status: 404, parameters: () => ({ task: '1' }) },
    'get /admin/users': { status: 200 },
    'get /admin/users/:username': { status: 200, parameters: () => ({ username: 'target' }) },
    'get /admin/users/:username/ledger': { status: 200, parameters: () => ({ username: 'target' }) },
    'get /admin/nodes': { status: 200 },
    'get /admin/nodes/:node': { status: 200, parameters: () => ({ node: handle.split(':')[0] ?? '' }) },
    'post /admin/nodes/:node/drain': { status: 404, parameters: () => ({ node: user.identity.id }) },
    'post /admin/nodes/:node/undrain': { status: 200, parameters: () => ({ node: handle.split(':')[0] ?? '' }) },
    'post /admin/nodes/:node/retry': { status: 400, parameters: () => ({ node: handle.split(':')[0] ?? '' }) },
    'post /admin/nodes/:node/forget': { status: 400, parameters: () => ({ node: handle.split(':')[0] ?? '' }) },
    'get /admin/leases': { status: 200 },
    'get /admin/audit': { status: 200 },
    'get /advertisements/:keyId': { status: 200, parameters: () => ({ keyId: user.identity.id }) },
  };

  const nameOf = ({ method, path }: Route<unknown>): string => `${method} ${path}`;

  /** What is sent: method, path and body. */
  function requestOf(route: Route<unknown>): ['GET' | 'POST', string, object | undefined] {
    const { body = () => ({}), parameters } = SAMPLES[nameOf(route)] ?? {};
    const path = Object.entries(parameters?.() ?? {}).reduce(
      (text, [key, value]) => text.replace(`:${key}`, value),
      route.path,
    );
    return route.method === 'post' ? ['POST', path, body()] : ['GET', path, undefined];
  }

  async function ask(route: Route<unknown>, caller: Caller, means: Means): Promise<ApiAnswer> {
    const request = requestOf(route);
    const api = {
      nobody: await new Api(site.clearinghouse.url).open(),
      'another user': other,
      'the user': user,
      'an administrator': admin,
      'somebody banned': banned,
    }[caller];
    if (means === 'a session') return await api.call(...request);
    if (means === 'a signature') return await api.signed(...request);
    return await api.bearing(tokens.good.get(api)?.get(scopeOf(route) ?? 'account') ?? '', ...request);
  }

  /** Whether the route takes those who show themselves in this way. */
  const takes = (route: Route<unknown>, means: Means): boolean => {
    if (route.access === 'anyone' || means === 'a session') return true;
    return means === 'a token' ? scopeOf(route) !== undefined : route.inPerson !== true;
  };

  it('is tested for each route, and for no other', () => {
    assert.deepEqual(Object.keys(SAMPLES).sort(), ROUTES.map(nameOf).sort());
  });

  for (const route of ROUTES.toSorted((a, b) => Number(a.path === '/logout') - Number(b.path === '/logout'))) {
    const { status, others } = SAMPLES[nameOf(route)] ?? { status: 0 };
    const forAdmins = { status: 403, code: 'NOT_ADMINISTRATOR' };
    for (const means of MEANS.filter((one) => !takes(route, one))) {
      it(`${nameOf(route)} for nobody who comes with ${means}`, async () => {
        const answer = await ask(route, route.access === 'admin' ? 'an administrator' : 'the user', means);
        assert.equal(answer.body.code, 'FORBIDDEN', answer.text);
      });
    }

    for (const means of MEANS.filter((one) => takes(route, one))) {
      it(`${nameOf(route)} for the user, by ${means}`, async () => {
        const answer = await ask(route, 'the user', means);
        assert.equal(answer.status, route.access === 'admin' ? 403 : status, answer.text);
        if (answer.status < 300) route.result?.parse(answer.body);
      });

      it(`${nameOf(route)} for an administrator, by ${means}`, async () => {
        const answer = await ask(route, 'an administrator', means);
        const expected = route.access === 'admin' ? undefined : others;
        assert.equal(answer.status, expected?.status ?? status, answer.text);
        if (answer.status < 300) route.result?.parse(answer.body);
        assert.equal(held(user).length, 1, 'the user keeps his vessel');
      });

      it(`${nameOf(route)} for another user, by ${means}`, async () => {
        const answer = await ask(route, 'another user', means);
        const expected = route.access === 'admin' ? forAdmins : others;
        assert.equal(answer.status, expected?.status ?? status, answer.text);
        assert.equal(expected === undefined || answer.body.code === expected.code, true, answer.text);
        assert.equal(held(user).length, 1, 'the user keeps his vessel');
        assert.doesNotMatch(answer.text, /\$argon2|secret of/);
        if (route.access === 'user') assert.doesNotMatch(answer.text, new RegExp(`: ?"user"|"${handle}"`));
      });
    }

    if (route.access !== 'anyone') {
      it(`${nameOf(route)} for somebody banned`, async () => {
        const answer = await ask(route, 'somebody banned', 'a session');
        assert.equal(answer.body.code, 'NOT_AUTHENTICATED', 'his session has ended');
        const signed = await ask(route, 'somebody banned', 'a signature');
        assert.equal(signed.body.code, 'BANNED', signed.text);
      });
    }

    it(`${nameOf(route)} for no token that has expired or is for something else`, async () => {
      const late = await user.bearing(tokens.expired, ...requestOf(route));
      assert.equal(late.body.code, 'TOKEN_EXPIRED', late.text);
      if (route.access !== 'user') return;
      const answer = await user.bearing(tokens.other.get(scopeOf(route) ?? 'account') ?? '', ...requestOf(route));
      assert.equal(answer.body.code, 'FORBIDDEN', answer.text);
    });

    it(`${nameOf(route)} for nobody`, async () => {
      const answer = await ask(route, 'nobody', 'a session');
      if (route.access !== 'anyone') assert.equal(answer.body.code, 'NOT_AUTHENTICATED', answer.text);
      else assert.equal(answer.status, status, answer.text);
      const stranger = await ask(route, 'nobody', 'a signature');
      assert.equal(stranger.body.code, 'UNKNOWN_KEY', 'a key that no account has opens nothing');
      const guessed = await ask(route, 'nobody', 'a token');
      assert.equal(guessed.body.code, 'BAD_TOKEN', 'a token that no account has opens nothing');
      assert.equal(held(user).length, 1);
    });
  }
});
