import assert from 'node:assert/strict';
import { LIMITS } from '../src/limits.ts';
import type { Api } from './support/api.ts';
import { forEachDatabase } from './support/databases.ts';
import { Site } from './support/site.ts';

const WRONG = 'not the password';

forEachDatabase((test) => {
  describe('attempts', () => {
    it('are counted before they are made: of many at once no more than the limit are', async () => {
      const store = await test.open();
      const budgets = [{ key: 'x', limit: 5 }];
      const taken = await Promise.allSettled(
        Array.from({ length: 20 }, async () => await store.attempts.take(budgets)),
      );
      assert.equal(taken.filter(({ status }) => status === 'fulfilled').length, 5);
      await store.attempts.giveBack(budgets);
      await store.attempts.take(budgets);
      await assert.rejects(store.attempts.take(budgets), { code: 'TOO_MANY_REQUESTS' });
      await store.attempts.take(budgets, Date.now() + LIMITS.windowMs + 1);
    });

    it('count none of several when one of them is used up', async () => {
      const store = await test.open();
      await store.attempts.take([{ key: 'full', limit: 1 }]);
      for (const _ of [1, 2, 3]) {
        const both = store.attempts.take([
          { key: 'other', limit: 1 },
          { key: 'full', limit: 1 },
        ]);
        await assert.rejects(both, { code: 'TOO_MANY_REQUESTS' });
      }
      await store.attempts.take([{ key: 'other', limit: 1 }]);
    });
  });
});

describe('guessing a password', () => {
  let site: Site;
  let user: Api;
  beforeEach(async () => {
    site = await Site.start();
    user = await site.api().join('user');
  });
  afterEach(async () => await site[Symbol.asyncDispose]());

  const codeOf = async (api: Api, username: string, password = WRONG): Promise<string> =>
    (await api.login(username, password)).body.code;

  it(`fails ${LIMITS.loginFailuresPerClient} times from one address, and is refused once more`, async () => {
    const stranger = await site.api().open();
    for (let attempt = 0; attempt < LIMITS.loginFailuresPerClient; attempt += 1) {
      assert.equal(await codeOf(stranger, 'user'), 'WRONG_PASSWORD');
    }
    const refused = await stranger.login('user', 'secret of user');
    assert.equal(refused.body.code, 'TOO_MANY_REQUESTS', 'even with the right one');
    assert.equal(refused.status, 429);
    const seconds = Number(refused.headers.get('retry-after'));
    assert.ok(seconds > 0 && seconds <= LIMITS.windowMs / 1000);
    assert.equal(await codeOf(stranger, 'USER'), 'TOO_MANY_REQUESTS', 'in whatever case');
    assert.equal(await codeOf(stranger, 'nobody'), 'WRONG_PASSWORD', 'another name has attempts of its own');
  });

  it('does not lock the user out of a browser that he has used before, even at the same address', async () => {
    const stranger = await site.api().open();
    while ((await codeOf(stranger, 'user')) !== 'TOO_MANY_REQUESTS');
    assert.equal((await user.login('user')).status, 200);
  });

  it('does not lock the user out when others use up all of the attempts of the account or the address', async () => {
    for (const [budget, limit] of [
      ['login:account:user', LIMITS.loginFailuresPerAccount],
      ['login:address:127.0.0.1', LIMITS.loginFailuresPerAddress],
    ] as const) {
      site.spend(budget, limit);
      assert.equal(await codeOf(await site.api().open(), 'user', 'secret of user'), 'TOO_MANY_REQUESTS');
      assert.equal((await user.login('user')).status, 200);
    }
  });

  it('is limited in a browser that is known, too, and a good log-in uses nothing up', async () => {
    for (let times = 0; times <= LIMITS.loginFailuresPerClient; times += 1) await user.login('user');
    for (let attempt = 0; attempt < LIMITS.loginFailuresPerClient; attempt += 1) {
      assert.equal(await codeOf(user, 'user'), 'WRONG_PASSWORD');
    }
    assert.equal(await codeOf(user, 'user', 'secret of user'), 'TOO_MANY_REQUESTS');
  });

  it('is not easier with the cookie of a browser that another account knows', async () => {
    const other = await site.api().join('other');
    for (let attempt = 0; attempt < LIMITS.loginFailuresPerClient; attempt += 1) await codeOf(other, 'user');
    assert.equal(await codeOf(other, 'user'), 'TOO_MANY_REQUESTS');
    assert.equal((await other.login('other')).status, 200);
  });

  it(`where a session has to give it again: ${LIMITS.passwordFailures} times, and no other session pays for it`, async () => {
    const thief = site.api();
    Object.assign(thief, { cookie: user.cookie, csrfToken: user.csrfToken });
    await user.login('user');
    const own = user.cookie;
    await site.api().login('user');
    const change = async (api: Api, current: string) =>
      (await api.post('/account/password', { current, password: 'another password' })).body.code;
    Object.assign(thief, { cookie: own, csrfToken: user.csrfToken });
    for (let attempt = 0; attempt < LIMITS.passwordFailures; attempt += 1) {
      assert.equal(await change(thief, WRONG), 'WRONG_PASSWORD');
    }
    assert.equal(await change(thief, 'secret of user'), 'TOO_MANY_REQUESTS');
    const elsewhere = await site.api().open();
    await elsewhere.login('user');
    assert.equal(await change(elsewhere, 'secret of user'), undefined);
    assert.equal((await thief.get('/account')).body.code, 'NOT_AUTHENTICATED', 'the other sessions have ended');
  });
});
