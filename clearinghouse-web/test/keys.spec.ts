import assert from 'node:assert/strict';
import { generateIdentity, KEY_PROOF_SECONDS, signKeyProof, verifyKeyProof } from '@potluck/protocol';
import { LIMITS } from '../src/limits.ts';
import type { Api, ApiAnswer } from './support/api.ts';
import { eventually, Site } from './support/site.ts';

describe('a proof that a key is one’s own', () => {
  const identity = generateIdentity();
  const init = { audience: 'https://potluck.example', subject: 'alice' };

  it('says whose key it is, for which site and for whom', async () => {
    const proof = await verifyKeyProof(await signKeyProof(identity, init), Date.now() / 1000);
    assert.deepEqual(proof, { ...init, publicJwk: identity.publicJwk });
  });

  it('holds for an hour', async () => {
    const line = await signKeyProof(identity, init);
    const now = Date.now() / 1000;
    await verifyKeyProof(line, now + KEY_PROOF_SECONDS - 2);
    await assert.rejects(verifyKeyProof(line, now + KEY_PROOF_SECONDS + 2), { code: 'EXPIRED' });
    await assert.rejects(verifyKeyProof(line, now - 600), { code: 'EXPIRED' });
  });

  it('cannot be changed, and nothing else that was signed is one', async () => {
    const [head = '', , signature = ''] = (await signKeyProof(identity, init)).split('.');
    const claims = { ...init, subject: 'mallory', iat: Math.floor(Date.now() / 1000) };
    const forged = [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
    await assert.rejects(verifyKeyProof(forged, Date.now() / 1000), { code: 'BAD_SIGNATURE' });
  });
});

describe('the key of an account', () => {
  let site: Site;
  before(async () => {
    site = await Site.start();
  });
  after(async () => await site[Symbol.asyncDispose]());

  const registered = async (username: string, keyProof: string, api?: Api): Promise<ApiAnswer> =>
    await (api ?? (await site.api().open())).post('/register', { username, password: 'long enough', keyProof });

  it('cannot be claimed by somebody who does not have it', async () => {
    const bob = await site.api().join('bob');
    const line = await bob.keyProof('bob');
    assert.equal(
      (await registered('mallory', line)).body.code,
      'KEY_NOT_PROVED',
      'a line that bob has made for himself',
    );
    const elsewhere = await signKeyProof(bob.identity, { audience: 'https://evil.example', subject: 'mallory' });
    assert.equal(
      (await registered('mallory', elsewhere)).body.code,
      'KEY_NOT_PROVED',
      'one that he made for another site',
    );
    const signed = await bob.keyProof('mallory', generateIdentity());
    const [, payload = '', signature = ''] = signed.split('.');
    const forged = [line.split('.')[0], payload, signature].join('.');
    assert.equal((await registered('mallory', forged)).body.code, 'KEY_NOT_PROVED', 'his key over another’s signature');
  });

  it('is claimed for a session as well as for a name, as a browser does it', async () => {
    const api = await site.api().open();
    const keyProof = await api.keyProof(api.csrfToken);
    assert.equal((await registered('carol', keyProof)).body.code, 'KEY_NOT_PROVED', 'another session');
    assert.equal((await registered('carol', keyProof, api)).status, 201);
  });

  it('may be claimed by localhost and 127.0.0.1 alike, and in whatever case', async () => {
    const { identity, url } = site.api();
    const audience = url.replace('127.0.0.1', 'localhost');
    assert.equal((await registered('dora', await signKeyProof(identity, { audience, subject: 'DORA' }))).status, 201);
  });

  it(`is claimed by a line of at most ${LIMITS.keyProofLength} characters`, async () => {
    const long = async (length: number) => (await registered('long', `a.${'b'.repeat(length - 4)}.c`)).body;
    assert.equal((await long(LIMITS.keyProofLength)).code, 'KEY_NOT_PROVED');
    assert.equal((await long(LIMITS.keyProofLength + 1)).code, 'INVALID_REQUEST');
  });

  describe('is changed', () => {
    const change = async (api: Api, username: string, body: object = {}): Promise<ApiAnswer> =>
      await api.post('/account/key', {
        current: `secret of ${username}`,
        keyProof: await api.keyProof(username),
        ...body,
      });

    it('with the password and a proof of the new one', async () => {
      const api = await site.api().join('erin');
      const next = generateIdentity();
      const keyProof = await api.keyProof('erin', next);
      assert.equal((await change(api, 'erin')).body.code, 'INVALID_REQUEST', 'to the one it has');
      assert.equal((await change(api, 'erin', { keyProof, current: 'wrong' })).body.code, 'WRONG_PASSWORD');
      const others = await api.keyProof('somebody', next);
      assert.equal((await change(api, 'erin', { keyProof: others })).body.code, 'KEY_NOT_PROVED');
      assert.equal((await api.signed('GET', '/account')).body.username, 'erin', 'nothing has changed so far');
      assert.equal((await change(api, 'erin', { keyProof })).status, 200);
      assert.equal((await api.signed('GET', '/account')).body.code, 'UNKNOWN_KEY');
      Object.assign(api, { identity: next });
      assert.equal((await api.signed('GET', '/account')).body.username, 'erin');
    });

    it('on every vessel that the account holds, in the order of the changes, also when it is acquiring', async () => {
      const donor = await site.api().join('donor');
      const peer = await site.peer(donor, 'donor', 3);
      const api = await site.api().join('frank');
      assert.equal((await api.signed('POST', '/vessels/acquire', { count: 2 })).status, 201);
      const acquiring = api.post('/vessels/acquire', { count: 1 });
      let last = api.identity;
      for (const _ of [1, 2, 3]) {
        last = generateIdentity();
        assert.equal((await change(api, 'frank', { keyProof: await api.keyProof('frank', last) })).status, 200);
      }
      assert.equal((await acquiring).status, 201);
      const usersOf = () => [...peer.vessels.values()].map(({ users }) => users);
      await eventually(async () =>
        usersOf().every((users) => users.length === 1 && users[0] === last.id) ? true : undefined,
      );
    });
  });
});
