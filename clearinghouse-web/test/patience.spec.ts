import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity, type KeyId } from '@potluck/protocol';
import { QUEUE } from '../src/limits.ts';
import type { Account } from '../src/store/accounts.ts';
import { type Database, transact } from '../src/store/database.ts';
import type { Store } from '../src/store/store.ts';
import type { Claim } from '../src/store/tasks.ts';
import { forEachDatabase } from './support/databases.ts';
import { Peer } from './support/peer.ts';
import { accountOf, donate } from './support/rows.ts';
import { eventually, Site } from './support/site.ts';

forEachDatabase((test) => {
  describe('the queue, where nodes keep the backend waiting on purpose', () => {
    let store: Store;
    let database: Database;
    let donor: Account;

    beforeEach(async () => {
      store = await test.open();
      database = test.connect();
      donor = await accountOf(store, 'donor');
      await claims(); // The donor's key.
    });

    const offered = async (by = donor): Promise<KeyId> => await donate(test, store, { by, vessels: 1 });

    async function add(kind: string, node: KeyId, asker?: string): Promise<number> {
      const task = { kind, subject: randomUUID(), node, payload: {}, asker };
      return await transact(database, async (trx) => await store.tasks.add(trx, task));
    }

    /** All that can be had at once. */
    async function claims(): Promise<Claim[]> {
      const had: Claim[] = [];
      for (let claim = await store.tasks.claim(); claim !== undefined; claim = await store.tasks.claim())
        had.push(claim);
      return had;
    }

    async function set(node: KeyId, facts: Partial<Record<'rests_until' | 'looks_until', number>>): Promise<void> {
      await database.updateTable('nodes').set(facts).where('id', '=', node).execute();
    }

    const restOf = async (node: KeyId): Promise<number> => {
      const row = await database.selectFrom('nodes').select('rests_until').where('id', '=', node).executeTakeFirst();
      return (row?.rests_until ?? 0) - Date.now();
    };

    async function dial(node: KeyId): Promise<void> {
      const iat = Math.floor(Date.now() / 1000);
      const addresses = [{ host: '127.0.0.1', port: 1 }];
      const key = (await database.selectFrom('accounts').select('donor_key').executeTakeFirstOrThrow()).donor_key;
      const advertisement = {
        addresses,
        relays: [],
        keys: key === null ? [] : [key],
        version: '1',
        iat,
        exp: iat + 60,
      };
      await store.nodes.seen({ node, advertisement, jws: 'signed', first: true, host: '9.9.9.9' });
    }

    it('gives the nodes of one donor a few places only for what nobody waits for', async () => {
      for (let count = 0; count < QUEUE.perGiver + 1; count += 1) await add('reset-vessel', await offered());
      const other = await add('reset-vessel', await offered(await accountOf(store, 'other')));
      const had = await claims();
      assert.equal(had.filter(({ giver }) => giver === donor.id).length, QUEUE.perGiver);
      assert.ok(had.some(({ id }) => id === other));
      await add('change-users', await offered());
      assert.deepEqual(
        (await claims()).map(({ kind }) => kind),
        ['change-users'],
      );
    });

    it('gives all nodes that nobody knows or that were slow lately a few places together, and the others theirs', async () => {
      const nodes: KeyId[] = [];
      for (let count = 0; count < QUEUE.doubted + 1; count += 1) {
        const node = await offered(await accountOf(store, `slow${count}`));
        await set(node, { rests_until: Date.now() - 1 });
        nodes.push(node);
      }
      for (const node of nodes) await add('change-users', node);
      const waiting = (await claims()).filter(({ kind }) => kind === 'change-users');
      assert.equal(waiting.length, QUEUE.doubted);
      await add('change-users', await offered());
      assert.equal((await claims()).filter(({ kind }) => kind === 'change-users').length, 1);
      await set(waiting[0]?.node_id as KeyId, { rests_until: Date.now() - QUEUE.doubtMs - 1 });
      assert.equal((await claims()).length, 1);
    });

    it('gives what nodes measure for one account a few places, for all accounts a few more, and the others theirs', async () => {
      const nodes = [await offered(), await offered(), await offered()];
      const other = (await accountOf(store, 'other')).id;
      const askers = [donor.id, other].flatMap((asker) => Array.from({ length: QUEUE.perAsker + 1 }, () => asker));
      for (const [index, asker] of askers.entries()) await add('change-users', nodes[index % 3] as KeyId, asker);
      const had = (await claims()).filter(({ kind }) => kind === 'change-users');
      assert.equal(had.filter(({ asker }) => asker === donor.id).length, QUEUE.perAsker);
      assert.equal(had.length, QUEUE.measuring);
      const unmeasured = await add('change-users', await offered());
      assert.deepEqual(
        (await claims()).map(({ id }) => id),
        [unmeasured],
      );
      await store.tasks.finish(had[0] as Claim, async () => undefined);
      assert.equal((await claims()).length, 1);
    });

    it('lets a node rest that kept it waiting, longer each time, and again from the beginning after a good hour', async () => {
      const node = await offered();
      const task = await add('inspect-node', node);
      const [claim] = await claims();
      assert.equal(claim?.id, task);
      const rests: number[] = [];
      for (const _ of [1, 2, 3]) {
        await store.tasks.missed(claim);
        await store.tasks.missed(claim); // Of the same time.
        rests.push(await restOf(node));
        await set(node, { rests_until: Date.now() - 1 });
      }
      const expected = [1, 2, 4].map((factor) => factor * QUEUE.restFirstMs);
      for (const [index, rest] of rests.entries()) {
        assert.ok(rest <= (expected[index] ?? 0) && rest > (expected[index] ?? 0) - 5000, String(rests));
      }
      await set(node, { rests_until: Date.now() - QUEUE.doubtMs - 1 });
      await store.tasks.missed(claim);
      assert.ok((await restOf(node)) <= QUEUE.restFirstMs);
    });

    it('is late only with what it could have tried: neither what was tried already nor what waits for a mute node', async () => {
      const [mute, good] = [await offered(), await offered()];
      const late = { run_at: Date.now() - 120_000 };
      await add('reset-vessel', mute);
      await database.updateTable('tasks').set(late).where('node_id', '=', mute).execute();
      await set(mute, { rests_until: Date.now() + 60_000 });
      const tried = await add('inspect-node', good);
      await database
        .updateTable('tasks')
        .set({ ...late, attempts: 1 })
        .where('id', '=', tried)
        .execute();
      const lateness = async (): Promise<object> => {
        const { tasks } = await store.condition.census();
        return {
          doctor: (await store.condition.stuck({ lateMs: 60_000, attempts: 8 })).late,
          metrics: tasks.filter(({ oldestMs }) => oldestMs >= 60_000).map(({ kind }) => kind),
          status: (await store.survey.queue()).oldestMs >= 60_000,
        };
      };
      assert.deepEqual(await lateness(), { doctor: 0, metrics: [], status: false });
      // It has rested, and shares a few places with all that are doubted.
      await set(mute, { rests_until: Date.now() - 1 });
      assert.deepEqual(await lateness(), { doctor: 0, metrics: [], status: false });
      await database.updateTable('tasks').set({ attempts: 0 }).where('id', '=', tried).execute();
      assert.deepEqual(await lateness(), { doctor: 1, metrics: ['inspect-node'], status: true });
    });

    it('counts as offered what is free on a node that may give it now, and not on one that rests', async () => {
      const node = await offered();
      const free = async () => (await store.condition.census()).vessels.map(({ state, offering }) => [state, offering]);
      assert.deepEqual(await free(), [['free', true]]);
      await set(node, { rests_until: Date.now() + 60_000 });
      assert.deepEqual(await free(), [['free', false]]);
    });

    it('asks a node that rests for nothing that has time, also when it dials again, and gives nobody its vessels', async () => {
      const node = await offered();
      await add('inspect-node', node);
      const [claim] = await claims();
      assert.ok(claim);
      await store.tasks.missed(claim);
      await store.tasks.retry(claim, { error: 'slow', cause: 'TIMEOUT' }, Date.now());
      await dial(node);
      assert.deepEqual(await claims(), []);
      const attempt = { id: randomUUID(), accountId: donor.id };
      await assert.rejects(store.leases.reserve(attempt, 1), { code: 'UNABLE_TO_ACQUIRE' });
      await set(node, { rests_until: Date.now() - 1 });
      assert.equal((await claims())[0]?.id, claim.id);
      await store.leases.reserve(attempt, 1);
    });

    it('asks a node that rests all the same when an administrator wants so, and doubts it as before', async () => {
      const node = await offered();
      await add('inspect-node', node);
      const [claim] = await claims();
      assert.ok(claim);
      await store.tasks.missed(claim);
      await store.tasks.retry(claim, { error: 'slow', cause: 'TIMEOUT' }, Date.now() + 60_000);
      await store.care.hasten(donor.id, claim.id);
      assert.equal((await claims())[0]?.id, claim.id);
      await store.tasks.missed(claim);
      assert.ok((await restOf(node)) > QUEUE.restFirstMs);
    });

    it('does not blame a node that is away', async () => {
      const node = await offered();
      await add('inspect-node', node);
      const [claim] = await claims();
      assert.ok(claim);
      await store.nodes.gone(node);
      await store.tasks.missed(claim);
      assert.ok((await restOf(node)) < 0);
    });

    it('looks at a node that dials again and again a few times at once, then once in a while', async () => {
      const { id: node } = generateIdentity();
      const donorKey = generateIdentity().id;
      await transact(database, async (trx) => await store.accounts.setDonorKey(trx, donor.id, donorKey));
      let looks = 0;
      for (let dials = 0; dials < QUEUE.inspectBurst + 3; dials += 1) {
        await dial(node);
        for (const claim of await claims()) {
          looks += 1;
          assert.equal(claim.giver, '9.9.9.0/24'); // Nobody else's share is used up by naming his key.
          await store.tasks.finish(claim, async () => undefined);
        }
      }
      assert.equal(looks, QUEUE.inspectBurst);
      const due = ((await store.tasks.nextDue()) ?? 0) - Date.now();
      assert.ok(due > 0 && due <= QUEUE.inspectLeastMs, String(due));
      await set(node, { looks_until: Date.now() });
      await dial(node);
      assert.equal((await claims()).length, 1);
    });
  });
});

describe('twelve nodes that never answer', () => {
  it('keep nobody from donating, acquiring and releasing', async () => {
    await using stack = new AsyncDisposableStack();
    const site = stack.use(await Site.start());
    await site.api().join('slow');
    const key = await site.donorKey('slow');
    let asked = 0;
    const begun = performance.now();
    const first = Promise.withResolvers<void>();
    for (let count = 0; count < 12; count += 1) {
      const peer = stack.use(await new Peer(key, 1).listen());
      peer.gate = async () => {
        asked += 1;
        first.resolve();
        await new Promise(() => undefined);
      };
      await peer.advertise(site.gateway);
    }
    await first.promise;
    const donor = await site.api().join('donor');
    await site.peer(donor, 'donor', 1, { host: '127.0.1.1' });
    assert.equal((await donor.post('/vessels/acquire', { count: 1 })).status, 201);
    await donor.post('/vessels/release', { all: true });
    await eventually(async () => (await donor.get('/')).body.free === 1 || undefined);
    // The others wait for their places, however long all this took: none is given up earlier.
    const rounds = 1 + Math.floor((performance.now() - begun) / QUEUE.requestMs);
    assert.ok(asked <= rounds * QUEUE.doubted, `${asked} at once`);
  });
});
