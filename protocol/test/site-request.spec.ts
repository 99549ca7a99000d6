import assert from 'node:assert/strict';
import { generateIdentity, LIMITS, signSiteRequest, verifySiteRequest } from '../src/index.ts';

const identity = generateIdentity();
const asked = { method: 'POST', path: '/vessels/acquire?x=1', body: Buffer.from('{"count":1}') };
const audience = 'https://potluck.example';

async function signed(init: object = {}): Promise<string> {
  return (await signSiteRequest(identity, { audience, ...asked, ...init })).slice('Potluck '.length);
}

describe('a request to a clearinghouse', () => {
  const now = (): number => Math.floor(Date.now() / 1000);

  it('says who signed it, for which site and account, and until when its nonce is to be remembered', async () => {
    const verified = await verifySiteRequest(await signed({ account: 'alice' }), asked, now());
    assert.equal(verified.signer, identity.id);
    assert.equal(verified.audience, audience);
    assert.equal(verified.account, 'alice');
    assert.ok(verified.until >= now() + LIMITS.requestLifetimeSeconds / 2);
  });

  it('has a nonce of its own each time', async () => {
    const [one, two] = await Promise.all([signed(), signed()]);
    const nonces = await Promise.all([one, two].map(async (jws) => (await verifySiteRequest(jws, asked, now())).nonce));
    assert.notEqual(nonces[0], nonces[1]);
  });

  for (const [what, change, code] of [
    ['another method', { method: 'GET' }, 'BAD_MESSAGE'],
    ['another path', { path: '/vessels/release' }, 'BAD_MESSAGE'],
    ['another query', { path: '/vessels/acquire?x=2' }, 'BAD_MESSAGE'],
    ['another body', { body: Buffer.from('{"count":2}') }, 'BAD_ATTACHMENT'],
    ['no body', { body: new Uint8Array() }, 'BAD_ATTACHMENT'],
  ] as const) {
    it(`does not hold for ${what}`, async () => {
      await assert.rejects(verifySiteRequest(await signed(), { ...asked, ...change }, now()), { code });
    });
  }

  it('holds for its life time and the difference of two clocks, and not a second longer', async () => {
    const { requestLifetimeSeconds: lifetimeSeconds, clockSkewSeconds: skew } = LIMITS;
    const at = now();
    const jws = await signed({ lifetimeSeconds });
    const { until } = await verifySiteRequest(jws, asked, at);
    await verifySiteRequest(jws, asked, until);
    await assert.rejects(verifySiteRequest(jws, asked, until + 1), { code: 'EXPIRED' });
    const signedAt = until - lifetimeSeconds - skew;
    await verifySiteRequest(jws, asked, signedAt - skew);
    await assert.rejects(verifySiteRequest(jws, asked, signedAt - skew - 1), { code: 'EXPIRED' });
    await assert.rejects(verifySiteRequest(await signed({ lifetimeSeconds: lifetimeSeconds + 1 }), asked, at), {
      code: 'EXPIRED',
    });
  });

  it('is refused when it is no signature at all', async () => {
    for (const jws of ['', '.', 'a.b.c', 'x'.repeat(10_000)]) {
      await assert.rejects(verifySiteRequest(jws, asked, now()), { code: 'BAD_SIGNATURE' });
    }
  });
});
