import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity, PotluckError } from '@potluck/protocol';
import type { Account } from '../src/store/accounts.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';
import { accountOf, appear, donate, vesselsOn } from './support/rows.ts';

/** Each time chance chooses who comes first; what must hold holds in every order. */
const ROUNDS = { SQLite: 5, PostgreSQL: 3 };
const FAR = 400 * 24 * 3_600_000;

type Act = (store: Store) => Promise<unknown>;

forEachDatabase((test) => {
  describe('at the same moment', () => {
    let stores: [Store, Store];
    let store: Store;
    let donor: Account;

    beforeEach(async () => {
      store = await test.open();
      stores = [store, await test.openBeside(store)];
      donor = await accountOf(store, 'donor');
      await donate(test, store, { by: donor, vessels: 8 });
    });

    /** All at once, in any order, over two connections. @returns of each act `done`, `lost`, or the code of its refusal. */
    async function race(acts: readonly Act[]): Promise<string[]> {
      const outcomes = new Array<string>(acts.length);
      const order = [...acts.keys()].sort(() => Math.random() - 0.5);
      const running = order.map(async (index) => {
        const act = acts[index] as Act;
        outcomes[index] = await act(stores[index % 2] as Store).then(
          (result) => (result === false ? 'lost' : 'done'),
          (error: unknown) => {
            if (error instanceof PotluckError) return error.code;
            throw error;
          },
        );
      });
      await Promise.all(running);
      return outcomes;
    }

    /** Nobody who may have nothing has anything, and the ledger adds up. */
    async function expectSound(): Promise<void> {
      const db = test.connect();
      const held = await db
        .selectFrom('vessels')
        .innerJoin('accounts', 'accounts.id', 'vessels.account_id')
        .select(['name', 'username'])
        .where((eb) => eb.or([eb('banned_at', 'is not', null), eb('closed_at', 'is not', null)]))
        .execute();
      assert.deepEqual(held, [], 'no vessel is a ghost’s');
      for (const table of ['sessions', 'devices', 'tokens', 'passkeys'] as const) {
        const rows = db.selectFrom(table).innerJoin('accounts', 'accounts.id', `${table}.account_id`);
        const left = await rows.select('accounts.id').where('closed_at', 'is not', null).execute();
        assert.deepEqual(left, [], table);
      }
      assert.deepEqual(await store.ledger.check(), []);
    }

    /** All that was released is emptied at once. */
    async function clean(): Promise<void> {
      await test.connect().updateTable('vessels').set({ state: 'free' }).where('state', '=', 'cleaning').execute();
    }

    function taking({ id: accountId }: Account): Act {
      return async ({ leases }) => {
        const attempt = { id: randomUUID(), accountId };
        const reserved = await leases.reserve(attempt, 1);
        if (await leases.confirm(attempt, 1)) return true;
        await leases.abandon(attempt, reserved);
        return false;
      };
    }

    async function many(work: (user: Account) => Promise<void>): Promise<void> {
      for (let round = 0; round < ROUNDS[test.kind]; round += 1) {
        await work(await accountOf(store, `user${round}`));
        await expectSound();
        await clean();
      }
    }

    it('a ban and acquisitions: nothing is leased to whom it bans', async () => {
      await many(async (user) => {
        const ban: Act = async ({ administration }) => await administration.ban('operator', user.username, 'race');
        const outcomes = await race([ban, ...Array<Act>(6).fill(taking(user))]);
        assert.equal(outcomes[0], 'done');
        for (const outcome of outcomes.slice(1)) assert.match(outcome, /^(done|lost|BANNED)$/);
      });
    });

    it('renewals, releases, the expiry and a ban: a lease ends once, and gives one credit back', async () => {
      await many(async (user) => {
        await taking(user)(store);
        const [held] = await store.leases.holdings(user.id);
        assert.ok(held);
        const release: Act = async ({ leases }) => await leases.release(user.id, [held]);
        const renew: Act = async ({ leases }) => await leases.renew(user.id, [held]);
        const outcomes = await race([
          ...[release, release, renew, renew],
          async ({ leases }) => (await leases.expire(Date.now() + FAR)) > 0,
          async ({ administration }) => await administration.ban('operator', user.username, 'race'),
        ]);
        assert.ok(outcomes.slice(0, 2).filter((outcome) => outcome === 'done').length <= 1, outcomes.join());
        for (const outcome of outcomes.slice(0, 4)) assert.match(outcome, /^(done|NO_SUCH_VESSEL)$/);
        assert.deepEqual(await store.leases.holdings(user.id), []);
        const { entries } = await store.ledger.statement(user.id, { limit: 9 });
        assert.deepEqual(entries.map(({ amount }) => amount).slice(0, -1), [1, -1]);
      });
    });

    it('two renewals: both are good, and the lease ends when the later one says', async () => {
      await many(async (user) => {
        await taking(user)(store);
        const [held] = await store.leases.holdings(user.id);
        assert.ok(held);
        const renew: Act = async ({ leases }) => await leases.renew(user.id, [held]);
        assert.deepEqual(await race([renew, renew]), ['done', 'done']);
        const [renewed] = await store.leases.holdings(user.id);
        assert.ok((renewed?.expiresAt ?? 0) > held.expiresAt);
        await store.leases.release(user.id, [held]);
      });
    });

    it('more users than vessels: each vessel is one user’s, and none is left over', async () => {
      await many(async (first) => {
        const others = await Promise.all([1, 2, 3].map(async (n) => await accountOf(store, `${first.username}_${n}`)));
        const users = [first, ...others];
        const outcomes = await race(users.flatMap((user) => Array<Act>(3).fill(taking(user))));
        assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 8, outcomes.join());
        const held = await Promise.all(users.map(async ({ id }) => await store.leases.holdings(id)));
        assert.equal(new Set(held.flat().map(({ name }) => name)).size, 8);
        await store.leases.expire(Date.now() + FAR);
      });
    });

    it('the deletion of an account and all that it may be doing: nothing of it is left', async () => {
      const passkey = { publicKey: Uint8Array.from([1]), counter: 0, name: 'key', transports: [] };
      const token = { name: 'one', scopes: ['account' as const], expiresAt: Date.now() + 60_000 };
      await many(async (user) => {
        const close: Act = async ({ closing }) => await closing.close({ actor: user.id, account: user });
        const outcomes = await race([
          ...[close, close, taking(user), taking(user), taking(user)],
          async ({ sessions }) => await sessions.begin(user),
          async ({ devices }) => await devices.remember(user.id),
          async ({ tokens }) => await tokens.create(user, token),
          async ({ passkeys }) => await passkeys.add(user, { id: randomUUID(), ...passkey }),
          async ({ accounts }) => await accounts.changeKey(user, generateIdentity().publicJwk),
        ]);
        assert.deepEqual(outcomes.slice(0, 2).sort(), ['NO_SUCH_ACCOUNT', 'done']);
        for (const outcome of outcomes.slice(2)) assert.match(outcome, /^(done|lost|NO_SUCH_ACCOUNT)$/);
        assert.deepEqual(await store.accounts.byKey(user.key_id), []);
      });
    });

    it('a machine that is given, and the ban or the deletion of its donor: what is offered has a donor', async () => {
      await many(async (user) => {
        const node = await appear(store);
        const claim = await store.tasks.claim();
        assert.ok(claim);
        const found = vesselsOn(node, { by: user, vessels: 2 });
        const outcomes = await race([
          async ({ tasks, inventory }) =>
            await tasks.finish(claim, async (trx) => await inventory.record(trx, node, found)),
          async ({ administration }) => await administration.ban('operator', user.username, 'race'),
          async ({ closing }) => await closing.close({ actor: user.id, account: user }),
        ]);
        assert.deepEqual(outcomes.toSpliced(1, 1), ['done', 'done']);
        while (await store.closing.forgetLeft());
        assert.deepEqual(await store.nodes.donationsOf(user.id), []);
        assert.equal((await store.nodes.counts()).vessels, 8);
      });
    });

    it('a new password, and what was begun with the old one: only the browser that changed it is logged in', async () => {
      await many(async (user) => {
        const session = await store.sessions.begin(user);
        const begin: Act = async ({ sessions }) => await sessions.begin(user);
        const change: Act = async ({ accounts }) => await accounts.setPassword(user, randomUUID(), { session });
        const outcomes = await race([change, change, begin, begin, begin]);
        assert.deepEqual(outcomes.slice(0, 2).sort(), ['WRONG_PASSWORD', 'done']);
        for (const outcome of outcomes.slice(2)) assert.match(outcome, /^(done|WRONG_PASSWORD)$/);
        assert.equal((await store.sessions.list(user.id)).length, 1);
        assert.equal((await store.sessions.accountOf(session))?.id, user.id);
      });
    });
  });
});
