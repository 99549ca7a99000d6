import assert from 'node:assert/strict';
import { generateIdentity, type KeyId, type VesselName } from '@potluck/protocol';
import type { Account } from '../src/store/accounts.ts';
import { type Database, transact } from '../src/store/database.ts';
import type { FoundVessel } from '../src/store/inventory.ts';
import { advance, after, type NodeEvent, TRANSITIONS } from '../src/store/life.ts';
import type { NodeLife } from '../src/store/schema.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';

const DAY_MS = 24 * 3_600_000;
const SMALL = 'resource cpu 0.02\nresource memory 100\nresource diskused 100\nresource messport 63100\n';
const LESS = 'resource cpu 0.02\nresource memory 99\nresource diskused 100\nresource messport 63100\n';
const NO_PORT = 'resource cpu 0.02\nresource memory 100\nresource diskused 100\n';

const STATES = ['none', 'accepting', 'splitting', 'offered', 'broken', 'gone'] as const;
const EVENTS: readonly NodeEvent[] = ['seen', 'good', 'large', 'empty', 'lied', 'failed', 'absent', 'retry'];

/** Where each event leads from each state; `.` is where it is. */
const TABLE = `
            seen      good    large     empty lied   failed absent retry
  none      accepting offered splitting .     .      .      .      .
  accepting .         offered splitting none  .      broken gone   .
  splitting .         offered .         .     broken broken gone   .
  offered   .         .       splitting .     broken broken gone   .
  broken    .         offered splitting none  .      .      gone   accepting
  gone      accepting .       .         .     .      .      .      .
`;

describe('the life of a node', () => {
  it('is the table that stands in the documentation, and no event leads anywhere else', () => {
    const [head = '', ...rows] = TABLE.trim().split('\n');
    assert.deepEqual(head.trim().split(/ +/), EVENTS);
    assert.deepEqual(Object.keys(TRANSITIONS), [...STATES]);
    for (const row of rows) {
      const [from = '', ...cells] = row.trim().split(/ +/);
      for (const [index, cell] of cells.entries()) {
        const state = from === 'none' ? null : (from as NodeLife);
        const to = cell === '.' ? from : cell;
        assert.equal(after(state, EVENTS[index] as NodeEvent) ?? 'none', to, `${from} ${EVENTS[index]}`);
      }
    }
    assert.equal(rows.length, STATES.length);
  });

  it('leads from everywhere back to where vessels are offered', () => {
    for (const start of STATES) {
      const reached = new Set<string>([start]);
      for (const state of reached) {
        for (const event of EVENTS) reached.add(after(state === 'none' ? null : (state as NodeLife), event) ?? 'none');
      }
      assert.ok(reached.has('offered'), start);
    }
  });
});

forEachDatabase((database) => {
  describe('the life of a node', () => {
    let store: Store;
    let db: Database;
    let donor: Account;
    let node: KeyId;

    beforeEach(async () => {
      store = await database.open();
      db = database.connect();
      const publicKey = generateIdentity().publicJwk;
      donor = await store.accounts.create({ username: 'donor', email: undefined, passwordHash: 'none', publicKey });
      const donorKey = generateIdentity().id;
      await transact(db, async (trx) => await store.accounts.setDonorKey(trx, donor.id, donorKey));
      node = generateIdentity().id;
      await dial();
    });
    async function dial(): Promise<void> {
      const keys = [(await store.accounts.byId(donor.id))?.donor_key as KeyId];
      const iat = Math.floor(Date.now() / 1000);
      const addresses = [{ host: '127.0.0.1', port: 1 }];
      const advertisement = { addresses, relays: [], keys, version: '1', iat, exp: iat + 600 };
      await store.nodes.seen({ node, advertisement, jws: 'signed', first: true });
    }

    async function find(vessels: Record<string, string>, more: Partial<FoundVessel> = {}): Promise<string> {
      const found = Object.entries(vessels).map(([name, restrictions]) => {
        const facts = { owner: node, donor: donor.id, ports: [63_100], clean: true, ...more };
        return { ...facts, name: name as VesselName, restrictions };
      });
      await transact(db, async (trx) => await store.inventory.record(trx, node, found));
      return await life();
    }

    async function life(): Promise<string> {
      const row = await db.selectFrom('nodes').select('life').where('id', '=', node).executeTakeFirstOrThrow();
      return row.life ?? 'none';
    }

    async function lease(count = 1): Promise<void> {
      const attempt = { id: 'attempt', accountId: donor.id };
      await store.leases.reserve(attempt, count);
      assert.equal(await store.leases.confirm(attempt, count), true);
    }

    async function total(): Promise<number> {
      return (await store.leases.credits(donor.id)).total;
    }

    it('begins when it names a donor’s key, and offers when it was looked at', async () => {
      assert.equal(await life(), 'accepting');
      assert.equal(await total(), 10);
      assert.equal(await find({ v1: SMALL }), 'offered');
      assert.equal(await total(), 20);
      await lease();
    });

    it('offers nothing and lets nobody lease on it while it is being split', async () => {
      assert.equal(await find({ v1: SMALL }, { whole: true }), 'splitting');
      assert.equal((await store.nodes.counts()).free, 0);
      await assert.rejects(lease(), { code: 'UNABLE_TO_ACQUIRE' });
      const tasks = await db.selectFrom('tasks').select('kind').where('kind', '=', 'split-node').execute();
      assert.equal(tasks.length, 1);
      assert.equal(await find({ v2: SMALL, v3: SMALL }), 'offered');
      assert.equal((await store.nodes.counts()).free, 2);
    });

    it('draws a lot for each vessel and port that comes in, by which they are offered; what stays keeps its own', async () => {
      const lots = async (table: 'vessels' | 'vessel_ports'): Promise<number[]> => {
        return (await db.selectFrom(table).select('lot').orderBy('name').execute()).map(({ lot }) => lot);
      };
      await find({ v1: SMALL, v2: SMALL });
      const [vessels, ports] = [await lots('vessels'), await lots('vessel_ports')];
      for (const drawn of [vessels, ports]) assert.equal(new Set(drawn).add(0).size, drawn.length + 1);
      await find({ v1: SMALL, v2: SMALL });
      assert.deepEqual([await lots('vessels'), await lots('vessel_ports')], [vessels, ports]);
    });

    it('splits no vessel that somebody holds', async () => {
      await find({ v1: SMALL });
      await lease();
      assert.equal(await find({ v1: SMALL }, { whole: true }), 'offered');
      assert.equal((await store.leases.holdings(donor.id)).length, 1);
    });

    for (const [what, vessels] of Object.entries({
      'a vessel is gone': { v2: SMALL },
      'all are gone': {},
      'one has less memory': { v1: LESS, v2: SMALL },
      'one has a port less': { v1: NO_PORT, v2: SMALL },
    })) {
      it(`is broken when ${what}: no credit, nothing to lease, and what is held stays`, async () => {
        await find({ v1: SMALL, v2: SMALL });
        await lease();
        assert.equal(await find(vessels), 'broken');
        assert.equal(await total(), 10);
        await assert.rejects(lease(), { code: 'UNABLE_TO_ACQUIRE' });
        assert.equal((await store.leases.holdings(donor.id)).length, 1);
        assert.equal(await find(vessels), 'broken', 'looking again makes it no better');
        assert.equal(await find({ v1: SMALL, v2: SMALL }), 'offered', 'until all is as it was');
      });
    }

    it('believes a broken node anew when the operator says so, and ends the leases of what is no more', async () => {
      await find({ v1: SMALL });
      await lease();
      await find({ v2: LESS });
      await transact(db, async (trx) => await advance(trx, node, 'retry', 'the operator says so'));
      assert.equal(await find({ v2: LESS }), 'offered');
      assert.deepEqual(await store.leases.credits(donor.id), { total: 20, used: 0 });
    });

    it('is gone when nobody has seen it for long: its leases end, and its vessels are emptied when it is back', async () => {
      await find({ v1: SMALL });
      await lease();
      await store.nodes.sweep(Date.now() + 2 * DAY_MS);
      assert.equal(await life(), 'offered', 'it is connected');
      await store.nodes.gone(node);
      await store.nodes.sweep();
      assert.equal(await life(), 'offered', 'it was just seen');
      await store.nodes.sweep(Date.now() + 2 * DAY_MS);
      assert.equal(await life(), 'gone');
      assert.deepEqual(await store.leases.credits(donor.id), { total: 10, used: 0 });
      assert.equal(await find({ v1: SMALL }), 'gone', 'what was under way when it went counts no more');
      await dial();
      assert.equal(await find({ v1: SMALL }), 'offered');
      assert.equal((await store.nodes.counts()).free, 0);
      const resets = await db.selectFrom('tasks').select('id').where('kind', '=', 'reset-vessel').execute();
      assert.equal(resets.length, 1);
    });

    it('donates nothing any more when nothing was found on it from the first', async () => {
      assert.equal(await find({}), 'none');
    });

    it('is told in the audit log, step by step', async () => {
      await find({ v1: SMALL });
      await find({});
      const steps = await store.audit.list({ subject: node }, { limit: 10 });
      assert.deepEqual(
        steps.map(({ action }) => action),
        ['node.broken', 'node.offered', 'node.accepting'],
      );
      assert.equal(steps[0]?.details.why, 'expected vessel v1 to be there as before, it is gone');
    });
  });
});
