import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity } from '@potluck/protocol';
import { LIMITS, POLICY } from '../src/limits.ts';
import type { Account } from '../src/store/accounts.ts';
import { transact } from '../src/store/database.ts';
import { sessionIdOf } from '../src/store/sessions.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';
import { accountOf, donate, take } from './support/rows.ts';

/** What happens when two processes do the same at the same time. */
function codesOf(outcomes: readonly PromiseSettledResult<unknown>[]): unknown[] {
  return outcomes.map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.code)).sort();
}

forEachDatabase((test) => {
  describe('accounts, as they are stored', () => {
    let store: Store;
    let other: Store;

    beforeEach(async () => {
      store = await test.open();
      other = await test.openBeside(store);
    });

    it('have a username that nobody else has, in capitals or not, also when two ask at once', async () => {
      const both = await Promise.allSettled([accountOf(store, 'Anna'), accountOf(other, 'anna')]);
      assert.deepEqual(codesOf(both), ['USERNAME_TAKEN', 'done']);
      await assert.rejects(accountOf(store, 'ANNA'), { code: 'USERNAME_TAKEN' });
      const anna = await other.accounts.byUsername('aNNa');
      assert.match(anna?.username ?? '', /^Anna$|^anna$/);
      assert.equal(await store.accounts.byUsername('ann'), undefined);
    });

    it('begin with the policy’s credits, and with the making of their donor key', async () => {
      const { id } = await accountOf(store, 'anna');
      assert.deepEqual(await store.leases.credits(id), { total: POLICY.freeCredits, used: 0 });
      assert.deepEqual(await store.ledger.check(), []);
      const claim = await store.tasks.claim();
      assert.deepEqual([claim?.kind, claim?.subject], ['make-donor-key', `account:${id}`]);
    });

    it('are found by what is theirs alone, and by a key that may be of several', async () => {
      const { publicJwk: publicKey, id: key } = generateIdentity();
      const made: Account[] = [];
      for (const username of ['first', 'second']) {
        made.push(await store.accounts.create({ username, email: undefined, passwordHash: 'none', publicKey }));
      }
      assert.deepEqual(
        (await store.accounts.byKey(key)).map(({ username }) => username),
        ['first', 'second'],
      );
      for (const { id, donor_token } of made) {
        assert.equal((await store.accounts.byId(id))?.id, id);
        assert.equal((await store.accounts.byDonorToken(donor_token))?.id, id);
      }
      assert.deepEqual(await store.accounts.byKey(generateIdentity().id), []);
      assert.deepEqual(await store.accounts.donorsOf([]), new Map());
      const donorKey = generateIdentity().id;
      await transact(test.connect(), async (trx) => await store.accounts.setDonorKey(trx, made[1]?.id ?? '', donorKey));
      assert.deepEqual(await store.accounts.donorsOf([donorKey, key]), new Map([[donorKey, made[1]?.id]]));
    });

    it('take another key once, and each vessel that they hold is handed to it', async () => {
      const user = await accountOf(store, 'anna');
      await donate(test, store, { by: user, vessels: 2 });
      await take(store, user, 2);
      const next = generateIdentity();
      await store.accounts.changeKey(user.id, next.publicJwk);
      assert.equal((await store.accounts.byId(user.id))?.key_id, next.id);
      const kinds = await Array.fromAsync({ length: 20 }, async () => (await store.tasks.claim())?.kind);
      assert.equal(
        kinds.filter((kind) => kind === 'rekey-vessel').length,
        0,
        'not before the key before was handed out',
      );
      await assert.rejects(store.accounts.changeKey(user.id, next.publicJwk), { code: 'INVALID_REQUEST' });
      const [entry] = await store.audit.list({ action: 'account.key' }, { limit: 2 });
      assert.deepEqual([entry?.subject, entry?.details], [user.id, {}]);
    });
  });

  describe('sessions, as they are stored', () => {
    let store: Store;
    let user: Account;

    beforeEach(async () => {
      store = await test.open();
      user = await accountOf(store, 'anna');
    });

    it('are an account’s until they end, and not a moment longer', async () => {
      const token = await store.sessions.begin(user.id);
      const [session] = await store.sessions.list(user.id);
      assert.equal(session?.id, sessionIdOf(token));
      const end = session?.expiresAt ?? 0;
      assert.equal((await store.sessions.accountOf(token, end - 1))?.id, user.id);
      assert.equal(await store.sessions.accountOf(token, end), undefined);
      assert.deepEqual(await store.sessions.list(user.id, end), []);
      await store.sessions.expire(end - 1);
      assert.equal((await store.sessions.list(user.id)).length, 1);
      await store.sessions.expire(end);
      assert.deepEqual(await store.sessions.list(user.id), []);
    });

    it('are nobody’s under any other text, their own name included', async () => {
      const token = await store.sessions.begin(user.id);
      for (const text of ['', sessionIdOf(token), `${token} `]) {
        assert.equal(await store.sessions.accountOf(text), undefined, text);
      }
    });

    it('tell when they were used last, to the minute', async () => {
      const token = await store.sessions.begin(user.id);
      const seen = async (): Promise<number | undefined> => (await store.sessions.list(user.id))[0]?.seenAt;
      const first = (await seen()) ?? 0;
      await store.sessions.accountOf(token, first + LIMITS.seenMs - 1);
      assert.equal(await seen(), first);
      await store.sessions.accountOf(token, first + LIMITS.seenMs);
      assert.equal(await seen(), first + LIMITS.seenMs);
    });

    it('end one by one, only those of the account, or all but one; with a new password too', async () => {
      const stranger = await accountOf(store, 'stranger');
      const [kept, ended, left] = [await begin(), await begin(), await begin()];
      assert.equal(await store.sessions.endOne(stranger.id, sessionIdOf(ended)), false);
      assert.equal(await store.sessions.endOne(user.id, sessionIdOf(ended)), true);
      assert.equal(await store.sessions.endOne(user.id, sessionIdOf(ended)), false);
      assert.deepEqual(await names(), [kept, left].map(sessionIdOf).sort());
      await store.sessions.endAll(user.id, { session: kept });
      assert.deepEqual(await names(), [sessionIdOf(kept)]);
      await begin();
      const theirs = await store.sessions.begin(stranger.id);
      await store.accounts.setPassword(user.id, 'other', { session: kept });
      assert.deepEqual(await names(), [sessionIdOf(kept)]);
      assert.equal((await store.sessions.accountOf(theirs))?.id, stranger.id);
      await store.sessions.end(kept);
      await store.sessions.endAll(stranger.id);
      assert.equal(await store.sessions.accountOf(theirs), undefined);
      assert.deepEqual(await names(), []);
    });

    async function begin(): Promise<string> {
      return await store.sessions.begin(user.id);
    }
    async function names(): Promise<string[]> {
      return (await store.sessions.list(user.id)).map(({ id }) => id).sort();
    }
  });

  describe('tokens, passkeys and known browsers, as they are stored', () => {
    let store: Store;
    let other: Store;
    let user: Account;

    beforeEach(async () => {
      store = await test.open();
      other = await test.openBeside(store);
      user = await accountOf(store, 'anna');
    });

    it('are at most so many of an account, also when two add the last one at once', async () => {
      const wanted = { name: 'one', scopes: ['account' as const], expiresAt: Date.now() + 1000 };
      for (let index = 1; index < LIMITS.tokensPerAccount; index += 1) await store.tokens.create(user.id, wanted);
      const last = await Promise.allSettled([store, other].map(({ tokens }) => tokens.create(user.id, wanted)));
      assert.deepEqual(codesOf(last), ['TOO_MANY', 'done']);
      for (let index = 1; index < LIMITS.passkeysPerAccount; index += 1) await add(store);
      assert.deepEqual(codesOf(await Promise.allSettled([store, other].map((one) => add(one)))), ['TOO_MANY', 'done']);
    });

    it('forget the browsers that were known first', async () => {
      const secrets: string[] = [];
      for (let index = 0; index <= LIMITS.devicesPerAccount; index += 1) {
        secrets.push(await store.devices.remember(user.id, Date.now() + index));
      }
      const known = await Promise.all(secrets.map(async (secret) => await store.devices.find(user.id, secret)));
      assert.deepEqual(
        known.map((name) => name !== undefined),
        secrets.map((_, index) => index > 0),
      );
      const stranger = await accountOf(store, 'stranger');
      assert.equal(await store.devices.find(stranger.id, secrets.at(-1) ?? ''), undefined);
      await store.devices.expire(Date.now() + LIMITS.deviceMs + 1000);
      assert.equal(await store.devices.find(user.id, secrets.at(-1) ?? ''), undefined);
    });

    it('forget every browser but the one that stays, with a log-out everywhere, a new password and a ban', async () => {
      const stranger = await accountOf(store, 'stranger');
      const theirs = await store.devices.remember(stranger.id);
      const session = await store.sessions.begin(user.id);
      for (const forget of [
        async (device: string) => await store.sessions.endAll(user.id, { session, device }),
        async (device: string) => await store.accounts.setPassword(user.id, 'other', { session, device }),
      ]) {
        const [kept, other] = [await store.devices.remember(user.id), await store.devices.remember(user.id)];
        await forget(kept);
        assert.ok(await store.devices.find(user.id, kept));
        assert.equal(await store.devices.find(user.id, other), undefined);
      }
      for (const forget of [
        async () => await store.sessions.endAll(user.id),
        async () => await store.administration.ban('operator', user.username, 'for the test'),
      ]) {
        const device = await store.devices.remember(user.id);
        await forget();
        assert.equal(await store.devices.find(user.id, device), undefined);
      }
      assert.ok(await store.devices.find(stranger.id, theirs), 'of nobody else');
    });

    it('are found until they are revoked, by their account alone', async () => {
      const stranger = await accountOf(store, 'stranger');
      const expiresAt = Date.now() + 1000;
      const { token, secret } = await store.tokens.create(user.id, { name: 'a', scopes: ['account'], expiresAt });
      assert.equal((await store.tokens.find(secret))?.account.id, user.id);
      assert.equal(await store.tokens.find(`${secret}x`), undefined);
      assert.equal(await store.tokens.revoke(stranger.id, token.id), false);
      await store.tokens.expire(expiresAt + LIMITS.tokenMs - 1);
      assert.equal((await store.tokens.list(user.id)).length, 1);
      assert.equal(await store.tokens.revoke(user.id, token.id), true);
      assert.equal(await store.tokens.find(secret), undefined);
    });

    it('know a passkey once, whoever shows it', async () => {
      const id = await add(store);
      await assert.rejects(add(store, id), { code: 'INVALID_REQUEST' });
      const stranger = await accountOf(store, 'stranger');
      assert.equal(await store.passkeys.rename(stranger.id, id, 'mine'), false);
      assert.equal(await store.passkeys.remove(stranger.id, id), false);
      await store.passkeys.used(id, 7);
      assert.deepEqual(
        [(await store.passkeys.find(id))?.counter, (await store.passkeys.find(id))?.accountId],
        [7, user.id],
      );
      assert.equal(await store.passkeys.remove(user.id, id), true);
      assert.equal(await store.passkeys.find(id), undefined);
    });

    async function add({ passkeys }: Store, id: string = randomUUID()): Promise<string> {
      const publicKey = Uint8Array.from([1, 2, 3]);
      await passkeys.add(user.id, { id, publicKey, counter: 0, name: 'key', transports: [] });
      return id;
    }
  });
});
