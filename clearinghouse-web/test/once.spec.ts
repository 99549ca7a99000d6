import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity, type KeyId } from '@potluck/protocol';
import { pino } from 'pino';
import { acquire } from '../src/acquire.ts';
import { LocalBus } from '../src/bus/local.ts';
import { LIMITS, POLICY, QUEUE } from '../src/limits.ts';
import { Queue } from '../src/queue.ts';
import type { Named } from '../src/store/acquisitions.ts';
import { record } from '../src/store/audit.ts';
import { transact } from '../src/store/database.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';
import { accountOf, donate, take } from './support/rows.ts';

const NAME = { key: 'once', count: 1, type: 'random' as const };

forEachDatabase((test) => {
  describe('what may be done once', () => {
    let store: Store;
    let other: Store;

    beforeEach(async () => {
      store = await test.open();
      other = await test.openBeside(store);
    });

    it('is a nonce of a key: of many who bring it at once, one is let in', async () => {
      const { id: key } = generateIdentity();
      const until = Math.ceil(Date.now() / 1000) + 60;
      const many = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? store : other));
      const taken = await Promise.all(many.map(async ({ nonces }) => await nonces.claim(key, 'nonce', until)));
      assert.equal(taken.filter(Boolean).length, 1);
      assert.equal(await store.nonces.claim(generateIdentity().id, 'nonce', until), true, 'of another key');
      assert.equal(await store.nonces.claim('passkey', 'nonce', until), true, 'or of none');
      await store.nonces.expire(until * 1000 - 1);
      assert.equal(await store.nonces.claim(key, 'nonce', until), false);
      await store.nonces.expire(until * 1000);
      assert.equal(await store.nonces.claim(key, 'nonce', until), true, 'when it could be taken no more anyway');
    });

    it('is an acquisition by its name: two who ask at once get the same one', async () => {
      const named = await nameOf('anna');
      const all = [store, other].map(async ({ acquisitions }) => {
        return await acquisitions.begin({ ...named, attempt: randomUUID() });
      });
      const [first, second] = await Promise.all(all);
      assert.ok(first);
      assert.deepEqual(first, second);
      assert.deepEqual([first.done, await store.acquisitions.isDone(first.attempt)], [false, false]);
      const theirs = { ...(await nameOf('stranger')), attempt: randomUUID() };
      assert.equal((await store.acquisitions.begin(theirs)).attempt, theirs.attempt, 'of another account');
    });

    it('means the same under one name', async () => {
      const named = { ...(await nameOf('anna')), attempt: randomUUID() };
      await store.acquisitions.begin(named);
      for (const wish of [{ count: 2 }, { type: 'wan' as const }, { rules: ['different-nodes'] }]) {
        await assert.rejects(store.acquisitions.begin({ ...named, ...wish }), { code: 'KEY_REUSED' });
      }
    });

    it('is kept with its leases, and gives the name back when it failed', async () => {
      const user = await accountOf(store, 'anna');
      await donate(test, store, { by: user, vessels: 1 });
      const named = { accountId: user.id, key: 'once', count: 1, type: 'random' as const };
      const failed = randomUUID();
      await store.acquisitions.begin({ ...named, attempt: failed });
      await store.acquisitions.forget(failed);
      assert.equal(await store.acquisitions.isDone(failed), undefined);
      const attempt = { id: randomUUID(), accountId: user.id, isNamed: true };
      assert.equal((await store.acquisitions.begin({ ...named, attempt: attempt.id })).attempt, attempt.id);
      await store.leases.reserve(attempt, 1);
      await store.leases.confirm(attempt, 1);
      await store.acquisitions.forget(attempt.id);
      const again = await other.acquisitions.begin({ ...named, attempt: randomUUID() });
      assert.deepEqual([again.attempt, again.done], [attempt.id, true]);
      const end = Date.now() + LIMITS.idempotencyMs;
      await store.acquisitions.expire(end - 60_000);
      assert.equal(await store.acquisitions.isDone(attempt.id), true);
      await store.acquisitions.expire(end + 60_000);
      assert.equal(await store.acquisitions.isDone(attempt.id), undefined);
    });

    it('has its name for as long as anything is reserved under it, and leases nothing without it', async () => {
      const named = await nameOf('anna');
      await donate(test, store, { by: await accountOf(store, 'donor'), vessels: 3 });
      const attempt = { id: randomUUID(), accountId: named.accountId, isNamed: true };
      await store.acquisitions.begin({ ...named, attempt: attempt.id });
      await moveTo(Date.now() + 10_000);
      await store.leases.reserve(attempt, 1);
      const { until } = await other.acquisitions.begin({ ...named, attempt: randomUUID() });
      assert.ok(until > Date.now() + 2 * QUEUE.acquireMs, 'a wave later it has it as long as that lasts');
      await moveTo(Date.now());
      const next = randomUUID();
      assert.equal((await other.acquisitions.begin({ ...named, attempt: next })).attempt, next);
      await assert.rejects(store.leases.confirm(attempt, 1), { code: 'IN_PROGRESS' });
      await assert.rejects(store.leases.reserve(attempt, 1), { code: 'IN_PROGRESS' });
      await store.leases.reserve({ ...attempt, id: next }, 1);
      assert.equal(await store.leases.confirm({ ...attempt, id: next }, 1), true);
      assert.equal((await store.leases.holdings(named.accountId)).length, 1);
      assert.deepEqual(await store.ledger.check(), []);
    });

    it('says when to ask again while it is under way', async () => {
      /** Who waits is told at once. */
      class Impatient extends Queue {
        override async until(condition: () => Promise<boolean>): Promise<boolean> {
          return await super.until(condition, 0);
        }
      }
      const user = await accountOf(store, 'anna');
      await store.acquisitions.begin({ ...NAME, accountId: user.id, attempt: randomUUID() });
      const components = {
        store: other,
        queue: new Impatient(other, new LocalBus({ logger: pino({ level: 'silent' }) })),
      };
      const asked = acquire(components, user, { count: 1, type: 'random', idempotencyKey: 'once' });
      await assert.rejects(asked, ({ code, details }) => {
        assert.ok(details.retryAfterSeconds > 50 && details.retryAfterSeconds <= 60, details.retryAfterSeconds);
        return code === 'IN_PROGRESS';
      });
    });

    it(`is remembered under ${LIMITS.idempotencyKeysPerAccount} names of an account; with one more the oldest is forgotten`, async () => {
      const user = await accountOf(store, 'anna');
      await donate(test, store, { by: user, vessels: 2 });
      const row = { account_id: user.id, count: 1, type: 'random' as const, done: 1 };
      const rows = Array.from({ length: LIMITS.idempotencyKeysPerAccount - 1 }, (_, index) => {
        return { ...row, key: `key${index}`, attempt: `attempt${index}`, expires_at: Date.now() + 60_000 + index };
      });
      const db = test.connect();
      while (rows.length > 0) await db.insertInto('acquisitions').values(rows.splice(0, 100)).execute();
      for (const [key, left] of [
        ['last', true],
        ['one more', undefined],
      ] as const) {
        const attempt = { id: randomUUID(), accountId: user.id, isNamed: true };
        await store.acquisitions.begin({ ...NAME, key, accountId: user.id, attempt: attempt.id });
        await store.leases.reserve(attempt, 1);
        await store.leases.confirm(attempt, 1);
        assert.equal(await store.acquisitions.isDone('attempt0'), left);
        assert.equal(await store.acquisitions.isDone('attempt1'), true);
        assert.equal(await store.acquisitions.isDone(attempt.id), true);
      }
    });

    async function moveTo(expires_at: number): Promise<void> {
      await test.connect().updateTable('acquisitions').set({ expires_at }).execute();
    }
    async function nameOf(username: string): Promise<Omit<Named, 'attempt'>> {
      const { id: accountId } = await accountOf(store, username);
      return { ...NAME, accountId };
    }
  });

  describe('the audit log, as it is stored', () => {
    let store: Store;

    beforeEach(async () => {
      store = await test.open();
    });

    async function write(action: `${string}.${string}`, subject: string, details: object = {}): Promise<void> {
      const entry = { actor: 'operator', action, subject, details: { ...details } };
      await transact(test.connect(), async (trx) => await record(trx, entry));
    }

    it('is read from the newest on, page by page and by what it is asked for', async () => {
      for (let index = 0; index < 5; index += 1)
        await write(index % 2 === 0 ? 'a.even' : 'a.odd', `s${index}`, { index });
      const first = await store.audit.list({}, { limit: 3 });
      assert.deepEqual(
        first.map(({ details }) => details.index),
        [4, 3, 2],
      );
      const rest = await store.audit.list({}, { limit: 3, before: first.at(-1)?.id });
      assert.deepEqual(
        rest.map(({ details }) => details.index),
        [1, 0],
      );
      const subjects = async (filter: object): Promise<string[]> =>
        (await store.audit.list(filter, { limit: 9 })).map(({ subject }) => subject);
      assert.deepEqual(await subjects({ action: 'a.odd' }), ['s3', 's1']);
      assert.deepEqual(await subjects({ subject: 's2', actor: 'operator' }), ['s2']);
      assert.deepEqual(await subjects({ actor: 'site' }), []);
    });

    it('tells nothing of what did not happen, and forgets nothing of what did', async () => {
      const db = test.connect();
      const act = transact(db, async (trx) => {
        await record(trx, { actor: 'site', action: 'a.lost', subject: 's' });
        throw new TypeError('it did not work');
      });
      await assert.rejects(act, TypeError);
      assert.deepEqual(await store.audit.list({}, { limit: 1 }), []);
      await write('a.kept', 's');
      await assert.rejects(db.deleteFrom('audit').execute(), /append-only/);
      await assert.rejects(db.updateTable('audit').set({ actor: 'nobody' }).execute(), /append-only/);
      assert.equal((await store.audit.list({}, { limit: 2 })).length, 1);
    });

    it('of a ban and of an emergency stop is of the same moment as what they did', async () => {
      const user = await accountOf(store, 'anna');
      const node = await donate(test, store, { by: user, vessels: 2 });
      await take(store, user, 2);
      const session = await store.sessions.begin(user.id);
      assert.equal(await store.emergency.stop('operator', 'a flood'), 2);
      await assert.rejects(take(store, user, 1), { code: 'STOPPED' });
      assert.equal(await store.emergency.lift('operator'), 2);
      assert.equal(await store.emergency.lift('operator'), 0);
      await store.administration.ban('operator', 'anna', 'for the test');
      await assert.rejects(take(store, user, 1), { code: 'BANNED' });
      assert.equal(await store.sessions.accountOf(session), undefined);
      assert.deepEqual(await store.leases.holdings(user.id), []);
      const actions = (await store.audit.list({ subject: `${node}:v1` }, { limit: 9 })).map(({ action }) => action);
      assert.deepEqual(actions, ['vessel.stop', 'vessel.give-back', 'vessel.stop', 'vessel.acquire']);
      assert.deepEqual(await store.ledger.check(), []);
    });
  });

  describe('nodes, as they are stored', () => {
    let store: Store;

    beforeEach(async () => {
      store = await test.open();
    });

    interface Seen {
      readonly node: KeyId;
      readonly iat?: number;
      readonly keys?: readonly KeyId[];
      readonly jws?: string;
      readonly site?: number;
    }
    async function see({ node, iat = Math.floor(Date.now() / 1000), keys = [], jws = 'signed', site = 0 }: Seen) {
      const facts = { addresses: [{ host: '127.0.0.1', port: 1 }], relays: [], keys: [...keys], version: '1' };
      return await store.nodes.seen({ node, advertisement: { ...facts, iat, exp: iat + 600 }, jws, first: true, site });
    }

    it('are what their newest advertisement says, whatever comes after it', async () => {
      const [node, key, old] = [generateIdentity().id, generateIdentity().id, generateIdentity().id];
      const now = Math.floor(Date.now() / 1000);
      assert.equal(await see({ node, keys: [key, key], jws: 'new' }), true);
      assert.equal(await see({ node, iat: now - 30, keys: [old], jws: 'old' }), false);
      assert.deepEqual((await store.nodes.find(node))?.keys, [key]);
      assert.deepEqual(await store.nodes.advertisementsOf(key), ['new']);
      assert.deepEqual(await store.nodes.advertisementsOf(old), []);
      assert.equal(await store.nodes.find(old), undefined);
    });

    it('are away when the site that has them says so, and no other', async () => {
      const user = await accountOf(store, 'anna');
      const node = await donate(test, store, { by: user, vessels: 1 });
      const credits = async (): Promise<number> => (await store.leases.credits(user.id)).total;
      const all = POLICY.freeCredits + POLICY.creditsPerDonation;
      assert.equal(await credits(), all);
      await see({ node, site: 2 });
      await store.nodes.gone(node, 1);
      assert.equal(await credits(), all);
      await store.nodes.gone(node, 2);
      assert.equal(await credits(), POLICY.freeCredits);
      await store.nodes.back([node], 2);
      await store.nodes.settle();
      assert.equal(await credits(), all);
      assert.deepEqual(await store.ledger.check(), []);
    });

    it('are forgotten when they are long away, unless they are donated', async () => {
      const user = await accountOf(store, 'anna');
      const [donated, away, here] = [
        await donate(test, store, { by: user, vessels: 1 }),
        generateIdentity().id,
        generateIdentity().id,
      ];
      for (const node of [away, here]) await see({ node });
      for (const node of [donated, away]) await store.nodes.gone(node);
      await store.nodes.prune(Date.now() + LIMITS.strangerMs - 60_000);
      assert.ok(await store.nodes.find(away));
      await store.nodes.prune(Date.now() + LIMITS.strangerMs + 60_000);
      const found = await Promise.all(
        [donated, away, here].map(async (node) => (await store.nodes.find(node)) !== undefined),
      );
      assert.deepEqual(found, [true, false, true]);
    });

    it('that are donated are shown first to who looks for a key', async () => {
      const user = await accountOf(store, 'anna');
      const { id: key } = generateIdentity();
      await see({ node: generateIdentity().id, keys: [key], jws: 'stranger' });
      const donated = await donate(test, store, { by: user, vessels: 1 });
      await see({ node: donated, keys: [key], jws: 'donated' });
      assert.deepEqual(await store.nodes.advertisementsOf(key), ['donated', 'stranger']);
    });
  });
});
