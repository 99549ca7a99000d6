import assert from 'node:assert/strict';
import { generateIdentity, type KeyId, type VesselName } from '@potluck/protocol';
import { HISTORY_LIMITS } from '../src/limits.ts';
import type { Database } from '../src/store/database.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const { everyMs } = HISTORY_LIMITS;
const NOON = Date.UTC(2026, 10, 20, 12);

forEachDatabase((test) => {
  describe('what has been', () => {
    let store: Store;
    let db: Database;
    let donor: string;
    const facts = async () => ({ ...(await store.nodes.counts()), backend: true });

    beforeEach(async () => {
      store = await test.open();
      db = test.connect();
      const publicKey = generateIdentity().publicJwk;
      const account = { username: 'donor', email: undefined, passwordHash: 'none', publicKey };
      ({ id: donor } = await store.accounts.create(account));
    });

    /** A donated machine that is there until then, with one free vessel and as many leased ones as said. */
    async function machine(until: number, leased: number): Promise<KeyId> {
      const { id: node } = generateIdentity();
      const [iat, exp] = [until / 1000 - 60, until / 1000];
      const advertisement = { addresses: [{ host: '127.0.0.1', port: 1 }], relays: [], keys: [], version: 'test' };
      await store.nodes.seen({ node, advertisement: { ...advertisement, iat, exp }, jws: 'signed', first: true });
      await db.insertInto('donations').values({ node_id: node, account_id: donor, created_at: 0 }).execute();
      for (let index = 0; index <= leased; index += 1) {
        const holder = index === 0 ? { account_id: null, expires_at: null } : { account_id: donor, expires_at: until };
        const state = index === 0 ? 'free' : 'leased';
        const name = `v${index + 1}` as VesselName;
        await db
          .insertInto('vessels')
          .values({ node_id: node, name, owner: node, restrictions: '', state, fence: 0, ...holder })
          .execute();
      }
      return node;
    }

    it('is written down once in five minutes, whoever asks', async () => {
      await Promise.all([store.history.look(facts, NOON), store.history.look(facts, NOON)]);
      await store.history.look(facts, NOON + everyMs - 1);
      assert.deepEqual(await store.history.pulses(0), [{ at: NOON, nodes: 0, vessels: 0, free: 0, backend: true }]);
      await store.history.look(facts, NOON + everyMs);
      assert.equal((await store.history.pulses(NOON + 1)).length, 1);
    });

    it('counts for a donor how long his machines were up, and how long their vessels were lent', async () => {
      await machine(NOON + DAY_MS, 2);
      await machine(NOON + 1000, 3);
      for (let look = 0; look <= 12; look += 1) await store.history.look(facts, NOON + look * everyMs);
      const days = await store.history.given(donor, 3, NOON);
      assert.deepEqual(
        days.map(({ onlineHours, lentHours }) => [onlineHours, lentHours]),
        [
          [0, 0],
          [0, 0],
          [1, 2],
        ],
      );
      assert.deepEqual([...(await store.history.givenByNode(donor)).values()], [{ onlineHours: 1, lentHours: 2 }]);
    });

    it('begins a new row with a new day', async () => {
      await machine(NOON + DAY_MS, 0);
      const midnight = NOON + DAY_MS / 2;
      for (const at of [midnight - everyMs - 1, midnight - 1, midnight + everyMs - 1])
        await store.history.look(facts, at);
      const days = await store.history.given(donor, 2, midnight);
      assert.deepEqual(
        days.map(({ day, onlineHours }) => [day, onlineHours]),
        [
          [midnight - DAY_MS, everyMs / HOUR_MS],
          [midnight, everyMs / HOUR_MS],
        ],
      );
    });

    it('counts nothing for the time in which nobody looked', async () => {
      await machine(NOON + DAY_MS, 0);
      await store.history.look(facts, NOON);
      await store.history.look(facts, NOON + 2 * everyMs + 1);
      assert.equal((await store.history.given(donor, 1, NOON))[0]?.onlineHours, 0);
    });

    it('is forgotten in time', async () => {
      await machine(NOON + 1, 0);
      for (const at of [NOON - everyMs, NOON]) await store.history.look(facts, at);
      assert.equal((await store.history.givenByNode(donor)).size, 1);
      await store.history.look(facts, NOON + HISTORY_LIMITS.pulsesMs + 1);
      assert.equal((await store.history.pulses(0)).length, 1);
      assert.equal((await store.history.givenByNode(donor)).size, 1);
      await store.history.look(facts, NOON + HISTORY_LIMITS.contributionsMs + DAY_MS);
      assert.equal((await store.history.givenByNode(donor)).size, 0);
    });
  });
});
