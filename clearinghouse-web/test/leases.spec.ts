import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { generateIdentity, type KeyId, type VesselName } from '@potluck/protocol';
import { pick } from '../src/rules/search.ts';
import type { Account } from '../src/store/accounts.ts';
import { type Trx, transact } from '../src/store/database.ts';
import type { Attempt } from '../src/store/leases.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';

const ACQUIRER = join(import.meta.dirname, 'support', 'acquirer.ts');
const ANYWHERE = { network: undefined, country: undefined, owner: undefined, labels: [], relayed: false };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function accountOf(store: Store, username: string): Promise<Account> {
  const publicKey = generateIdentity().publicJwk;
  return await store.accounts.create({ username, email: undefined, passwordHash: 'none', publicKey });
}

function attemptOf({ id }: Account): Attempt {
  return { id: randomUUID(), accountId: id };
}

async function take(store: Store, account: Account, count: number): Promise<Attempt> {
  const attempt = attemptOf(account);
  await store.leases.reserve(attempt, count);
  assert.equal(await store.leases.confirm(attempt, count), true);
  return attempt;
}

forEachDatabase((test) => {
  describe('leases', () => {
    let store: Store;
    let donor: Account;
    let user: Account;

    beforeEach(async () => {
      store = await test.open();
      donor = await accountOf(store, 'donor');
      user = await accountOf(store, 'user');
    });

    /** Does something in a transaction, as the backend does. */
    async function write(effect: (trx: Trx) => Promise<void>): Promise<void> {
      await transact(test.connect(), effect);
    }

    /** The fence that the queued emptying of a vessel was given. */
    async function resetFence(): Promise<number> {
      for (;;) {
        const claim = await store.tasks.claim();
        assert.ok(claim, 'expected a reset to be queued');
        if (claim.kind === 'reset-vessel') return JSON.parse(claim.payload).fence;
        await store.tasks.finish(claim, async () => undefined);
      }
    }

    /** A node that is there, with vessels that may be had. */
    async function donate(by: Account, vessels: number): Promise<KeyId> {
      const { id: node } = generateIdentity();
      const now = Math.floor(Date.now() / 1000);
      const advertisement = {
        addresses: [{ host: '127.0.0.1', port: 1 }],
        relays: [],
        keys: [],
        labels: [],
        version: '1',
        iat: now,
        exp: now + 600,
      };
      await store.nodes.seen({ node, advertisement, jws: 'signed', first: true });
      await offer(by, node, vessels);
      return node;
    }

    async function offer(by: Account, node: KeyId, vessels: number): Promise<void> {
      const found = Array.from({ length: vessels }, (_, index) => ({
        name: `v${index + 1}` as VesselName,
        owner: node,
        donor: by.id,
        restrictions: 'text',
        ports: [63_100 + index],
        clean: true,
      }));
      await write(async (trx) => await store.inventory.record(trx, node, found));
    }

    it('gives everyone 10 credits, and 10 more for each donation while it is active', async () => {
      assert.deepEqual(await store.leases.credits(donor.id), { total: 10, used: 0 });
      const node = await donate(donor, 1);
      await donate(donor, 1);
      assert.deepEqual(await store.leases.credits(donor.id), { total: 30, used: 0 });
      await store.nodes.gone(node);
      assert.deepEqual(await store.leases.credits(donor.id), { total: 20, used: 0 });
    });

    it('refuses more than the credits allow, and reserves nothing then', async () => {
      await donate(donor, 20);
      await assert.rejects(store.leases.reserve(attemptOf(user), 11), { code: 'NOT_ENOUGH_CREDITS' });
      await take(store, user, 10);
      await assert.rejects(store.leases.reserve(attemptOf(user), 1), { code: 'NOT_ENOUGH_CREDITS' });
      assert.deepEqual(await store.leases.credits(user.id), { total: 10, used: 10 });
    });

    it('refuses when too few are free, and reserves nothing then', async () => {
      await donate(donor, 3);
      await assert.rejects(store.leases.reserve(attemptOf(user), 4), { code: 'UNABLE_TO_ACQUIRE' });
      assert.equal((await store.nodes.counts()).free, 3);
    });

    it('leases for 4 hours, renews to 7 days from now, and never beyond', async () => {
      await donate(donor, 1);
      await take(store, user, 1);
      const [fresh] = await store.leases.holdings(user.id);
      assert.ok(fresh && Math.abs(fresh.expiresAt - Date.now() - 4 * HOUR_MS) < HOUR_MS / 60);
      await store.leases.renew(user.id, [fresh]);
      await store.leases.renew(user.id, [fresh]);
      const [renewed] = await store.leases.holdings(user.id);
      assert.ok(renewed && renewed.expiresAt <= Date.now() + 7 * DAY_MS);
    });

    it('lets nobody renew or release what another holds', async () => {
      await donate(donor, 1);
      await take(store, user, 1);
      const held = await store.leases.holdings(user.id);
      await assert.rejects(store.leases.renew(donor.id, held), { code: 'NO_SUCH_VESSEL' });
      await assert.rejects(store.leases.release(donor.id, held), { code: 'NO_SUCH_VESSEL' });
      assert.equal((await store.leases.holdings(user.id)).length, 1);
    });

    it('refuses to renew while more is held than the credits allow', async () => {
      const own = await donate(user, 1);
      await donate(donor, 12);
      await take(store, user, 12);
      await store.nodes.gone(own);
      await assert.rejects(store.leases.renew(user.id, await store.leases.holdings(user.id)), {
        code: 'NOT_ENOUGH_CREDITS',
      });
    });

    it('offers a released vessel only when it has been cleaned under its fence', async () => {
      await donate(donor, 1);
      await take(store, user, 1);
      const [held] = await store.leases.holdings(user.id);
      assert.ok(held);
      await store.leases.release(user.id, [held]);
      await assert.rejects(store.leases.reserve(attemptOf(user), 1), { code: 'UNABLE_TO_ACQUIRE' });
      const fence = await resetFence();
      await write(async (trx) => await store.inventory.cleaned(trx, held, fence - 1));
      assert.equal((await store.nodes.counts()).free, 0);
      await write(async (trx) => await store.inventory.cleaned(trx, held, fence));
      assert.equal((await store.nodes.counts()).free, 1);
    });

    it('ends leases that have run out, and forgotten reservations too', async () => {
      await donate(donor, 2);
      await take(store, user, 1);
      await store.leases.reserve(attemptOf(donor), 1);
      assert.equal(await store.leases.expire(), 0);
      assert.equal(await store.leases.expire(Date.now() + 5 * HOUR_MS), 2);
      assert.deepEqual(await store.leases.holdings(user.id), []);
      assert.equal((await store.leases.credits(user.id)).used, 0);
    });

    it('forgets nodes that donated nothing and have long been away, and no other', async () => {
      const donated = await donate(donor, 1);
      const { id: stranger } = generateIdentity();
      const now = Math.floor(Date.now() / 1000);
      const advertisement = {
        addresses: [{ host: '127.0.0.1', port: 1 }],
        relays: [],
        keys: [],
        labels: [],
        version: '1',
        iat: now,
        exp: now + 1,
      };
      await store.nodes.seen({ node: stranger, advertisement, jws: 'signed', first: true });
      const later = Date.now() + 2 * DAY_MS;
      await store.nodes.prune(later);
      assert.ok(await store.nodes.find(stranger), 'it is connected');
      await store.nodes.gone(stranger);
      await store.nodes.prune();
      assert.ok(await store.nodes.find(stranger), 'it was just seen');
      await store.nodes.prune(later);
      assert.equal(await store.nodes.find(stranger), undefined);
      assert.ok(await store.nodes.find(donated));
    });

    it('confirms all of an acquisition or nothing', async () => {
      await donate(donor, 2);
      const attempt = attemptOf(user);
      const reserved = await store.leases.reserve(attempt, 2);
      await store.leases.abandon(attempt, reserved.slice(0, 1));
      assert.equal(await store.leases.confirm(attempt, 2), false);
      assert.deepEqual(await store.leases.holdings(user.id), []);
    });

    it('never leases a vessel twice, nor beyond the credits, when two processes acquire at once', async () => {
      for (let index = 0; index < 3; index += 1) await donate(donor, 10);
      const users = await Promise.all(Array.from({ length: 6 }, (_, index) => accountOf(store, `user${index}`)));
      const thrice = [...users, ...users, ...users].map(({ id }) => id);
      const outcomes = await race(test.location, [thrice, thrice.toReversed()]);
      const held = (await Promise.all(users.map(({ id }) => store.leases.holdings(id)))).flat();
      const won = outcomes.filter((outcome) => outcome === 'won').length;
      assert.ok(won > 0 && won <= 7, 'thirty vessels are seven times four at most');
      assert.equal(held.length, 4 * won);
      assert.equal(new Set(held.map(({ node, name }) => `${node}:${name}`)).size, held.length);
      assert.deepEqual(await store.ledger.check(), []);
      for (const { id } of users) assert.ok((await store.leases.credits(id)).used <= 10);
      for (const outcome of outcomes) assert.match(outcome, /^(won|NOT_ENOUGH_CREDITS|UNABLE_TO_ACQUIRE)$/);
    });

    it('gives the second user another port, where the first has taken the nodes with his', async () => {
      await donate(donor, 2);
      await donate(donor, 2);
      await take(store, user, 2);
      await take(store, donor, 2);
      assert.equal((await store.accounts.byId(user.id))?.user_port, 63_100);
      assert.equal((await store.accounts.byId(donor.id))?.user_port, 63_101);
    });
  });
});

describe('the choice among free vessels', () => {
  it('gives a vessel with the user’s port on each node, on different nodes first, and others only beside such a one', () => {
    const [a, b, c] = ['a', 'b', 'c'] as KeyId[] as [KeyId, KeyId, KeyId];
    const [v1, v2] = ['v1', 'v2'] as VesselName[] as [VesselName, VesselName];
    const on = (node: KeyId, name: VesselName, owns: boolean) => ({ node, name, owns, facts: { ...ANYWHERE, node } });
    const candidates = [on(a, v1, true), on(a, v2, false), on(b, v1, false), on(b, v2, false), on(c, v1, true)];
    const chosen = (count: number, used: KeyId[] = [], covered: KeyId[] = []): string[] =>
      pick(candidates, { count, used: new Set(used), covered: new Set(covered) }).map(
        ({ node, name }) => `${node}:${name}`,
      );
    assert.deepEqual(chosen(2), ['a:v1', 'c:v1']);
    assert.deepEqual(chosen(5), ['a:v1', 'c:v1', 'a:v2'], 'nothing on a node that has not his port for him');
    assert.deepEqual(chosen(5, [b], [b]), ['a:v1', 'c:v1', 'a:v2', 'b:v1', 'b:v2'], 'where he has it, others do');
    assert.deepEqual(chosen(1, [a]), ['c:v1']);
  });
});

/** Lets one process for each list of accounts acquire, all begun at once. @returns what came of each acquisition. */
async function race(path: string, lists: string[][]): Promise<string[]> {
  const racers = lists.map((accounts) => {
    const child = spawn(process.execPath, [ACQUIRER, path, ...accounts], { stdio: ['pipe', 'pipe', 'inherit'] });
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator](), ended: once(child, 'exit') };
  });
  for (const { lines } of racers) assert.equal((await lines.next()).value, 'ready');
  for (const { child } of racers) child.stdin.end('go\n');
  const outcomes = await Promise.all(racers.map(async ({ lines }) => JSON.parse((await lines.next()).value ?? '')));
  await Promise.all(racers.map(({ ended }) => ended));
  return outcomes.flat();
}
