import assert from 'node:assert/strict';
import { POLICY } from '../src/limits.ts';
import type { Api } from './support/api.ts';
import { Site } from './support/site.ts';

const PAGES = ['/', '/vessels', '/run', '/donations', '/account', '/map', '/status', '/nowhere'];
const MINUTE_MS = 60_000;

describe('the warning before leases end', () => {
  let site: Site;
  let user: Api;
  /** What the sweep has not ended yet, and is not about to. */
  const endsIn = (ms: number, handle = '%'): void =>
    site.write("UPDATE vessels SET expires_at = ? WHERE node_id || ':' || name LIKE ?", Date.now() + ms, handle);

  beforeEach(async () => {
    site = await Site.start();
    await site.peer(await site.api().join('donor'), 'donor', 3);
    user = await site.api().join('user');
    assert.equal((await user.post('/vessels/acquire', { count: 3 })).status, 201);
  });
  afterEach(async () => await site[Symbol.asyncDispose]());

  const bannerOn = async (path: string, by: Api = user): Promise<string | undefined> => {
    const { text } = await by.get(path, { accept: 'text/html' });
    return /<form [^>]*class="warning[\s\S]*?<\/form>/.exec(text)?.[0].replaceAll(/<[^>]*>/g, '');
  };
  const renewAll = async (): Promise<number> => {
    const body = new URLSearchParams({ all: 'yes', _csrf: user.csrfToken });
    const headers = { cookie: user.cookie, accept: 'text/html' };
    const response = await fetch(`${user.url}/vessels/renew`, { method: 'POST', redirect: 'manual', headers, body });
    return response.status;
  };

  it('tells programs from when on: the policy’s time before the end', async () => {
    const { vessels } = (await user.get('/vessels')).body;
    assert.equal(vessels.length, 3);
    for (const { expiresAt, warnAt } of vessels) assert.equal(expiresAt - warnAt, POLICY.warningMs);
  });

  it('is on no page while all leases have longer', async () => {
    endsIn(POLICY.warningMs + MINUTE_MS);
    for (const path of PAGES) assert.equal(await bannerOn(path), undefined, path);
  });

  it('is on every page of the user, with how many and when, and on none of anybody else', async () => {
    const [first, second] = (await user.get('/vessels')).body.vessels;
    endsIn(10 * MINUTE_MS + 30_000, first?.handle);
    endsIn(POLICY.warningMs - MINUTE_MS, second?.handle);
    for (const path of PAGES) {
      assert.match((await bannerOn(path)) ?? '', /2 vessels end soon, the first in 10 min/, path);
    }
    const donor = site.api();
    await donor.open();
    await donor.login('donor');
    assert.equal(await bannerOn('/vessels', donor), undefined);
    assert.equal(await bannerOn('/', await site.api().open()), undefined);
  });

  it('renews all with its button, and is gone', async () => {
    endsIn(POLICY.warningMs - MINUTE_MS);
    assert.equal(await renewAll(), 303);
    assert.equal(await bannerOn('/vessels'), undefined);
    const { vessels } = (await user.get('/vessels')).body;
    for (const { expiresAt } of vessels) assert.ok(expiresAt > Date.now() + POLICY.renewalMs - MINUTE_MS);
  });
});

describe('the policy in force', () => {
  let site: Site;
  let user: Api;
  const policy = { ...POLICY, firstLeaseMs: 30 * MINUTE_MS, renewalMs: 90 * MINUTE_MS, creditsPerDonation: 3 };

  before(async () => {
    site = await Site.start({ policy });
    await site.peer(await site.api().join('donor'), 'donor', 1);
    user = await site.api().join('user');
    await user.post('/vessels/acquire', { count: 1 });
  });
  after(async () => await site[Symbol.asyncDispose]());

  const page = async (path: string): Promise<string> => (await user.get(path, { accept: 'text/html' })).text;

  it('is what pages say', async () => {
    assert.match(await page('/vessels?notice=acquired'), /yours for 30 min; renew them to keep them for 1 h 30 min\./);
    assert.match(await page('/vessels?notice=renewed'), /Renewed for 1 h 30 min from now\./);
    assert.match(await page('/vessels'), /donate<\/a> adds 3 while it is up/);
  });

  it('leaves room for rules in the form, names what is wrong with one, and says which could not be met', async () => {
    const acquire = async (rules: string) => {
      const body = new URLSearchParams({ count: '1', rules, _csrf: user.csrfToken });
      const headers = { cookie: user.cookie, accept: 'text/html' };
      return await fetch(`${user.url}/vessels/acquire`, { method: 'POST', redirect: 'manual', headers, body });
    };
    const wrong = await acquire('nat!=yes\ncolour=red');
    assert.equal(wrong.status, 400);
    const text = await wrong.text();
    assert.match(text, /id="rules-wrong" class="wrong">Expected /);
    assert.match(text, /nat!=yes\s+colour=red<\/textarea>/);
    const unmet = await acquire('country=NL');
    assert.equal(unmet.status, 409);
    assert.match(await unmet.text(), /role="alert">.*Expected 1 free vessel.*got 0/);
  });

  it('is told to programs', async () => {
    const { freeCredits, creditsPerDonation, firstLeaseMs, renewalMs, warningMs } = policy;
    const terms = { freeCredits, creditsPerDonation, firstLeaseMs, renewalMs, warningMs };
    assert.deepEqual((await user.get('/account')).body.terms, terms);
  });

  it('warns from the first moment of a lease that is shorter than the warning', async () => {
    assert.match(await page('/account'), /<strong>1 vessel ends soon<\/strong>/);
  });
});
