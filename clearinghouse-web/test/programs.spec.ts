import assert from 'node:assert/strict';
import {
  generateIdentity,
  LIMITS as PROTOCOL,
  SITE_SCHEME,
  signAdvertisement,
  signSiteRequest,
} from '@potluck/protocol';
import { LIMITS, POLICY } from '../src/limits.ts';
import type { Api, ApiAnswer } from './support/api.ts';
import { Site } from './support/site.ts';

function refused(answer: ApiAnswer, code: string, kind = 'authentication'): void {
  assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8');
  assert.deepEqual({ code: answer.body.code, kind: answer.body.kind }, { code, kind }, answer.text);
}

const { freeCredits, creditsPerDonation, firstLeaseMs, renewalMs, warningMs } = POLICY;
const TERMS = { freeCredits, creditsPerDonation, firstLeaseMs, renewalMs, warningMs };

describe('programs, by the key of their account', () => {
  let site: Site;
  let api: Api;
  before(async () => {
    site = await Site.start();
    api = await site.api().join('alice');
    const donor = await site.api().join('donor');
    await site.peer(donor, 'donor', 3);
  });
  after(async () => {
    await site[Symbol.asyncDispose]();
  });

  it('see the account: its name, key, port and credits, and the terms of the policy', async () => {
    const { status, body, headers } = await api.signed('GET', '/account');
    assert.equal(status, 200);
    assert.deepEqual(body, {
      username: 'alice',
      keyId: api.identity.id,
      userPort: null,
      credits: { total: 10, used: 0 },
      terms: TERMS,
    });
    assert.equal(headers.get('set-cookie'), null);
  });

  it('acquire, renew and release without a session or its token', async () => {
    const acquired = await api.signed('POST', '/vessels/acquire', { count: 2 });
    assert.equal(acquired.status, 201, acquired.text);
    const handles = acquired.body.vessels.map(({ handle }) => handle);
    const renewed = await api.signed('POST', '/vessels/renew', { handles });
    assert.equal(renewed.body.vessels.length, 2);
    const released = await api.signed('POST', '/vessels/release', { all: true });
    assert.deepEqual(released.body.vessels, []);
    assert.equal((await api.signed('POST', '/vessels/release', { all: true })).status, 200, 'all of none is well');
  });

  it('are answered in JSON whatever they say that they accept', async () => {
    const authorization = await signSiteRequest(api.identity, { audience: api.url, method: 'GET', path: '/vessels' });
    const answer = await api.bare('GET', '/vessels', '', { authorization, accept: 'text/html' });
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  });

  describe('are refused', () => {
    const header = async (init: object = {}): Promise<string> =>
      await signSiteRequest(api.identity, { audience: api.url, method: 'GET', path: '/account', ...init });
    const asked = async (authorization: string): Promise<ApiAnswer> =>
      await api.bare('GET', '/account', '', { authorization });

    it('when the same header comes again: that it was taken is on disk', async () => {
      const authorization = await header();
      assert.equal((await asked(authorization)).status, 200);
      refused(await asked(authorization), 'REPLAYED');
      const rows = site.rows('SELECT key_id FROM nonces WHERE key_id = ?', api.identity.id);
      assert.ok(rows.length > 0, 'the nonce is on disk');
    });

    it('when of many that come at once more than one is the same', async () => {
      const authorization = await header();
      const answers = await Promise.all(Array.from({ length: 8 }, async () => await asked(authorization)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(401)]);
    });

    it('with a header for another site', async () => {
      for (const audience of ['https://evil.example', `${api.url}/elsewhere`, 'http://127.0.0.1:1', 'nonsense', '']) {
        refused(await asked(await header({ audience })), 'BAD_SIGNATURE');
      }
      assert.equal((await asked(await header({ audience: api.url.replace('127.0.0.1', 'localhost') }))).status, 200);
    });

    it('with a header for another site, even if it names itself as the host that is asked', async () => {
      const authorization = await header({ audience: 'http://evil.example' });
      refused(await api.bare('GET', '/account', '', { authorization, host: 'evil.example' }), 'BAD_SIGNATURE');
    });

    it('with a header for another method, path or query', async () => {
      refused(await asked(await header({ method: 'POST' })), 'BAD_SIGNATURE');
      for (const path of ['/vessels', '/account?x=1', '/Account', '/account/', '//account']) {
        refused(await asked(await header({ path })), 'BAD_SIGNATURE');
      }
      refused(await api.bare('GET', '/account?x=1', '', { authorization: await header() }), 'BAD_SIGNATURE');
    });

    it('with a header for another body', async () => {
      const path = '/vessels/acquire';
      const body = Buffer.from('{"count":1}');
      const authorization = await header({ method: 'POST', path, body });
      refused(await api.bare('POST', path, '{"count":2}', { authorization }), 'BAD_SIGNATURE');
      refused(await api.bare('POST', path, '', { authorization }), 'BAD_SIGNATURE');
    });

    it('with a header that lives too long, or has never lived', async () => {
      for (const lifetimeSeconds of [PROTOCOL.requestLifetimeSeconds + 1, -1]) {
        refused(await asked(await header({ lifetimeSeconds })), 'BAD_SIGNATURE');
      }
      const { requestLifetimeSeconds: lifetimeSeconds } = PROTOCOL;
      assert.equal((await asked(await header({ lifetimeSeconds }))).status, 200);
    });

    it('with another algorithm, no signature, or one of another type', async () => {
      const [protectedHeader = '', payload = '', signature = ''] = (await header()).split(' ')[1]?.split('.') ?? [];
      const { jwk } = JSON.parse(Buffer.from(protectedHeader, 'base64url').toString());
      const forge = (changed: object): string => {
        const encoded = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'potluck-site-request', jwk, ...changed }));
        return `${SITE_SCHEME} ${encoded.toString('base64url')}.${payload}.${signature}`;
      };
      for (const changed of [{ alg: 'none' }, { alg: 'HS256' }, { alg: 'ES256' }, { b64: false, crit: ['b64'] }]) {
        refused(await asked(forge(changed)), 'BAD_SIGNATURE');
      }
      refused(await asked(`${SITE_SCHEME} ${protectedHeader}.${payload}.`), 'BAD_SIGNATURE');
      const advertisement = await signAdvertisement(api.identity, { addresses: [], keys: [], version: '1' }, 60);
      refused(await asked(`${SITE_SCHEME} ${advertisement}`), 'BAD_SIGNATURE');
    });

    it('with somebody else’s key, whatever account it names', async () => {
      const stranger = generateIdentity();
      const init = { audience: api.url, method: 'GET', path: '/account' };
      refused(await asked(await signSiteRequest(stranger, init)), 'UNKNOWN_KEY');
      refused(await asked(await signSiteRequest(stranger, { ...init, account: 'alice' })), 'UNKNOWN_KEY');
    });

    it('with a bad signature even when the cookie of a session comes with it', async () => {
      const { cookie } = api;
      refused(
        await api.bare('GET', '/account', '', { authorization: `${SITE_SCHEME} x.y.z`, cookie }),
        'BAD_SIGNATURE',
      );
      refused(await api.bare('GET', '/account', '', { authorization: SITE_SCHEME, cookie }), 'BAD_SIGNATURE');
    });

    it('without a good request, and may sign with the same nonce again: only what is carried out is remembered', async () => {
      const path = '/vessels/acquire';
      const authorization = await header({ method: 'POST', path, body: Buffer.from('{"count":0}') });
      for (const _ of [1, 2]) {
        refused(await api.bare('POST', path, '{"count":0}', { authorization }), 'INVALID_REQUEST', 'invalid_request');
      }
    });
  });

  it('say which account they mean when somebody uses one key for several', async () => {
    const bob = await site.api().join('bob');
    const second = await site.api().open();
    const keyProof = await bob.keyProof('bob_at_work');
    await second.post('/register', { username: 'bob_at_work', password: 'long enough', keyProof });
    refused(await bob.signed('GET', '/account'), 'UNKNOWN_KEY');
    const asked = async (account: string): Promise<ApiAnswer> =>
      await bob.signed('GET', '/account', undefined, { account });
    assert.equal((await asked('bob')).body.username, 'bob');
    assert.equal((await asked('BOB')).body.username, 'bob');
    refused(await asked('alice'), 'UNKNOWN_KEY');
  });

  it('are told Seattle’s five kinds of fault apart', async () => {
    refused(await api.bare('GET', '/account', '', { accept: 'application/json' }), 'NOT_AUTHENTICATED');
    const ask = async (body: object): Promise<ApiAnswer> => await api.signed('POST', '/vessels/acquire', body);
    refused(await ask({ count: -1 }), 'INVALID_REQUEST', 'invalid_request');
    refused(await ask({ count: 11 }), 'NOT_ENOUGH_CREDITS', 'not_enough_credits');
    refused(await ask({ count: 10 }), 'UNABLE_TO_ACQUIRE', 'unable_to_acquire');
    const archive = await site.api().get(new URL((await api.get('/donations')).body.downloadUrl).pathname);
    refused(archive, 'NO_PAYLOAD', 'internal');
  });

  describe('are limited in', () => {
    it(`the signature: ${LIMITS.authorizationLength} characters of it are looked at, one more is not`, async () => {
      const long = async (length: number): Promise<ApiAnswer> =>
        await api.bare('GET', '/account', '', { authorization: `${SITE_SCHEME} ${'x'.repeat(length)}` });
      assert.doesNotMatch((await long(LIMITS.authorizationLength)).body.detail, /at most/);
      assert.match((await long(LIMITS.authorizationLength + 1)).body.detail, /at most 4096 characters/);
      assert.equal((await long(64 * 1024)).status, 431);
    });

    it('the body, signed or not', async () => {
      const ask = async (bytes: number): Promise<ApiAnswer> => {
        const text = JSON.stringify({ count: 0, x: '' });
        return await api.signed('POST', '/vessels/acquire', { count: 0, x: 'x'.repeat(bytes - text.length) });
      };
      refused(await ask(LIMITS.bodyBytes), 'INVALID_REQUEST', 'invalid_request');
      refused(await ask(LIMITS.bodyBytes + 1), 'TOO_LARGE', 'invalid_request');
    });

    it('the name of an acquisition', async () => {
      const ask = async (length: number): Promise<ApiAnswer> =>
        await api.signed('POST', '/vessels/acquire', { count: 11, idempotencyKey: 'k'.repeat(length) });
      refused(await ask(LIMITS.idempotencyKeyLength), 'NOT_ENOUGH_CREDITS', 'not_enough_credits');
      refused(await ask(LIMITS.idempotencyKeyLength + 1), 'INVALID_REQUEST', 'invalid_request');
    });

    it(`${LIMITS.requestsPerMinute} requests of an account in a minute; each answer says how many are left`, async () => {
      await using other = await Site.start();
      const busy = await other.api().join('busy');
      const idle = await other.api().join('idle');
      const first = await busy.signed('GET', '/account');
      assert.match(first.headers.get('ratelimit') ?? '', new RegExp(`r=${LIMITS.requestsPerMinute - 1}`));
      for (let request = 1; request < LIMITS.requestsPerMinute; request += 1) {
        assert.equal((await busy.signed('GET', '/account')).status, 200);
      }
      const last = await busy.signed('GET', '/account');
      refused(last, 'TOO_MANY_REQUESTS', 'invalid_request');
      assert.ok(Number(last.headers.get('retry-after')) > 0);
      assert.equal((await idle.signed('GET', '/account')).status, 200, 'another account at the same address is not');
    });

    it('requests of strangers, also by tokens and signatures that nobody has, and for what is not there', async () => {
      for (const [path, authorization, code] of [
        ['/account', 'Bearer potluck_nobody', 'BAD_TOKEN'],
        ['/account', 'Potluck nonsense', 'BAD_SIGNATURE'],
        ['/nothing', '', 'NO_SUCH_PAGE'],
      ] as const) {
        const answer = await api.bare('GET', path, '', { accept: 'application/json', authorization });
        assert.equal(answer.body.code, code);
        assert.match(answer.headers.get('ratelimit') ?? '', /r=\d+/, code);
      }
    });
  });
});
