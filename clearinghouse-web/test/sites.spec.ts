import assert from 'node:assert/strict';
import { generateIdentity, type KeyId } from '@potluck/protocol';
import { SITE_LIMITS } from '../src/limits.ts';
import { transact } from '../src/store/database.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';
import { accountOf, donate, take } from './support/rows.ts';
import { ADVERTISEMENT } from './support/sites.ts';

const gatewayKey = generateIdentity().id;
const link = { host: '10.0.0.11', port: 8443 };

describe('the sites of a clearinghouse', () => {
  forEachDatabase((database) => {
    let store: Store;
    let first: number;
    let second: number;

    beforeEach(async () => {
      store = await database.open();
      first = await store.sites.join({ gatewayKey, alone: false });
      second = await store.sites.join({ gatewayKey, alone: false });
      for (const site of [first, second]) await store.sites.live(site, link);
    });

    const seen = async (node: KeyId, site: number, isFirst = true): Promise<void> => {
      const sighting = { node, advertisement: ADVERTISEMENT, jws: 'signed', first: isFirst, site };
      assert.equal(await store.nodes.seen(sighting), true);
    };
    const connected = async (node: KeyId): Promise<number | undefined> => {
      const rows = await database.connect().selectFrom('nodes').select(['id', 'connected']).execute();
      return rows.find(({ id }) => id === node)?.connected;
    };
    /** After that time everybody who has said nothing more is dead. */
    const later = (): number => Date.now() + SITE_LIMITS.lifeMs;

    it('have numbers of their own, and say where they are', async () => {
      assert.notEqual(first, second);
      assert.deepEqual(await store.sites.linkOf(first), link);
      assert.equal(await store.sites.linkOf(second + 1), undefined);
    });

    it('have one gateway key: another one would cut off all nodes', async () => {
      await assert.rejects(store.sites.join({ gatewayKey: generateIdentity().id, alone: false }), {
        code: 'WRONG_GATEWAY_KEY',
        message: /copy gateway\.jwk/,
      });
    });

    it('have one database of donors’ keys, another one only while nobody has a key, or if the operator says so', async () => {
      const show = async (name: string, kept: readonly KeyId[], anew = false): Promise<void> =>
        await store.sites.adoptKeys({ name, kept: async () => new Set(kept), anew });
      await show('lost', []);
      await assert.rejects(show('first', []), { code: 'WRONG_KEYS_DATABASE' }, 'while two sites run');
      await store.sites.leave(second);
      await show('first', []);
      const [anna, ben] = [await accountOf(store, 'anna'), await accountOf(store, 'ben')];
      const [lost, kept] = [generateIdentity().id, generateIdentity().id];
      await transact(database.connect(), async (trx) => {
        await store.accounts.setDonorKey(trx, anna.id, lost);
        await store.accounts.setDonorKey(trx, ben.id, kept);
      });
      await show('first', []);
      const node = await donate(database, store, { by: anna, vessels: 1 });
      const stays = await donate(database, store, { by: ben, vessels: 1 });
      const attempt = await take(store, ben, 2);
      await assert.rejects(show('second', [kept]), {
        code: 'WRONG_KEYS_DATABASE',
        message: /start one once with --new-keys-database, and have the donors' machines installed again/,
      });
      second = await store.sites.join({ gatewayKey, alone: false });
      await assert.rejects(show('second', [kept], true), { code: 'WRONG_KEYS_DATABASE' }, 'while two sites run');
      await store.sites.leave(second);
      await show('second', [kept], true);
      await show('second', [kept]);
      const keys = [anna, ben].map(async ({ id }) => (await store.accounts.byId(id))?.donor_key);
      assert.deepEqual(await Promise.all(keys), [null, kept]);
      assert.deepEqual(
        (await store.leases.holdings(ben.id, attempt.id)).map((held) => held.node),
        [stays],
      );
      assert.equal((await store.overview.node(node))?.life, null);
      assert.deepEqual(await store.ledger.check(), []);
    });

    it('know of a node at which of them it is', async () => {
      const node = generateIdentity().id;
      assert.equal(await store.sites.siteOf(node), undefined);
      await seen(node, first);
      assert.equal(await store.sites.siteOf(node), first);
    });

    it('leave a node to whom it dialled last: the end of an older connection takes nobody away', async () => {
      const node = generateIdentity().id;
      await seen(node, first);
      await seen(node, second);
      // The older connection goes on for a while, and then is found dead.
      await seen(node, first, false);
      assert.equal(await store.sites.siteOf(node), second);
      await store.nodes.gone(node, first);
      assert.equal(await store.sites.siteOf(node), second);
      await store.nodes.gone(node, second);
      assert.equal(await connected(node), 0);
      await seen(node, first, false);
      assert.equal(await store.sites.siteOf(node), first);
    });

    it('take one for dead that says nothing more, and its nodes for away; those of others stay', async () => {
      const [lost, kept] = [generateIdentity().id, generateIdentity().id];
      await seen(lost, first);
      await seen(kept, second);
      assert.equal(await store.sites.bury(), 0);
      const now = later();
      await database
        .connect()
        .updateTable('sites')
        .set({ expires_at: now + 1 })
        .where('id', '=', second)
        .execute();
      assert.equal(await store.sites.bury(now), 1);
      assert.deepEqual([await connected(lost), await connected(kept)], [0, 1]);
      assert.deepEqual([await store.sites.siteOf(lost), await store.sites.siteOf(kept)], [undefined, second]);
      assert.equal(await store.sites.linkOf(first), undefined);
    });

    it('bury a dead one once, however many of them come to it', async () => {
      const now = later();
      const counts = await Promise.all([store.sites.bury(now), store.sites.bury(now), store.sites.bury(now)]);
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        2,
      );
    });

    it('learn that they were taken for dead, and have their nodes back', async () => {
      const [back, moved] = [generateIdentity().id, generateIdentity().id];
      await seen(back, first);
      await seen(moved, first);
      await store.sites.bury(later());
      second = await store.sites.join({ gatewayKey, alone: false });
      await seen(moved, second);
      assert.equal(await store.sites.live(first, link), false);
      await store.nodes.back([back, moved], first);
      assert.deepEqual([await store.sites.siteOf(back), await store.sites.siteOf(moved)], [first, second]);
      assert.equal(await store.sites.live(first, link), true);
    });

    it('take their nodes with them when they leave', async () => {
      const node = generateIdentity().id;
      await seen(node, first);
      await store.sites.leave(first);
      assert.deepEqual([await connected(node), await store.sites.linkOf(first)], [0, undefined]);
    });

    it('are none but the one that has its database alone', async () => {
      const node = generateIdentity().id;
      await seen(node, first);
      const alone = await store.sites.join({ gatewayKey, alone: true });
      assert.ok(alone > second);
      assert.deepEqual([await connected(node), await store.sites.linkOf(second)], [0, undefined]);
    });
  });
});
