import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity } from '@potluck/protocol';
import Sqlite from 'better-sqlite3';
import { transact } from '../src/store/database.ts';
import type { Store } from '../src/store/store.ts';
import { forEachDatabase } from './support/databases.ts';
import { accountOf, donate, take } from './support/rows.ts';

/** Tables that stay small, however large the clearinghouse becomes. */
const SMALL = ['switches', 'policy', 'gateway', 'sites', 'pulses', 'kysely_migration', 'kysely_migration_lock'];

/** Indexes of a few rows only: tasks that somebody works on, and nodes that are drained. */
const SHORT = /USING (COVERING )?INDEX (tasks_claimed|nodes_draining)$/;

forEachDatabase((test) => {
  if (test.kind !== 'SQLite') return;

  describe('what is asked often', () => {
    let store: Store;

    beforeEach(async () => {
      store = await test.open();
    });

    /** The plans of all that is asked meanwhile, as far as they read a whole table that may be large. */
    async function scansOf(work: () => Promise<unknown>): Promise<string[]> {
      const asked = new Set<string>();
      const { prepare } = Sqlite.prototype;
      Sqlite.prototype.prepare = function (this: Sqlite.Database, text: string) {
        asked.add(text);
        return prepare.call(this, text);
      } as typeof prepare;
      try {
        await work();
      } finally {
        Sqlite.prototype.prepare = prepare;
      }
      const database = new Sqlite(test.location, { readonly: true });
      try {
        return [...asked]
          .filter((text) => /^(select|update|delete|insert|with)/i.test(text))
          .flatMap((text) => bad(database, text));
      } finally {
        database.close();
      }
    }

    it('reads no large table from end to end: log-ins, tokens, nonces and what is named', async () => {
      const user = await accountOf(store, 'anna');
      const scans = await scansOf(async () => {
        const session = await store.sessions.begin(user.id);
        await store.sessions.accountOf(session);
        await store.sessions.accountOf(session, Date.now() + 120_000);
        await store.sessions.list(user.id);
        await store.sessions.endAll(user.id, { session });
        await store.sessions.end(session);
        await store.sessions.expire();
        const wanted = { name: 'a', scopes: ['account' as const], expiresAt: Date.now() + 1000 };
        const { token, secret } = await store.tokens.create(user.id, wanted);
        await store.tokens.find(secret);
        await store.tokens.list(user.id);
        await store.tokens.revoke(user.id, token.id);
        await store.tokens.expire();
        await store.devices.find(user.id, await store.devices.remember(user.id));
        await store.devices.expire();
        await store.attempts.take([{ key: 'x', limit: 5 }]);
        await store.attempts.giveBack([{ key: 'x', limit: 5 }]);
        await store.attempts.expire();
        await store.nonces.claim(user.key_id, 'nonce', Date.now() / 1000);
        await store.nonces.expire();
        await store.passkeys.list(user.id);
        await store.passkeys.find('id');
        await store.accounts.byUsername('anna');
        await store.accounts.byKey(user.key_id);
        await store.accounts.byId(user.id);
        await store.accounts.byDonorToken(user.donor_token);
        await store.accounts.donorsOf([user.key_id]);
        const named = { accountId: user.id, key: 'k', attempt: randomUUID(), count: 1, type: 'random' as const };
        await store.acquisitions.begin(named);
        await store.acquisitions.isDone(named.attempt);
        await store.acquisitions.forget(named.attempt);
        await store.acquisitions.expire();
      });
      assert.deepEqual(scans, []);
    });

    it('reads no large table from end to end: the queue', async () => {
      const scans = await scansOf(async () => {
        await accountOf(store, 'anna');
        const claim = await store.tasks.claim();
        assert.ok(claim);
        await store.tasks.claim(0);
        await store.tasks.missed(claim);
        await store.tasks.retry(claim, { error: 'again', cause: 'UNREACHABLE' }, Date.now());
        await store.tasks.nextDue();
        const again = await store.tasks.claim();
        assert.ok(again);
        await store.tasks.finish(again, async () => undefined);
        await store.tasks.reclaim(Date.now());
        await store.tasks.resume();
        await store.tasks.states([1, 2]);
        await store.tasks.prune();
        await store.survey.queue();
        await transact(test.connect(), async (trx) => {
          await store.tasks.wakeNode(trx, generateIdentity().id);
          await store.tasks.addOnce(trx, { kind: 'inspect-node', subject: 'node:x', payload: {} });
          await store.tasks.cancel(trx, [1]);
        });
      });
      assert.deepEqual(scans, []);
    });

    it('reads no large table from end to end: nodes, free vessels and leases', async () => {
      const scans = await scansOf(async () => {
        const user = await accountOf(store, 'anna');
        const node = await donate(test, store, { by: user, vessels: 3 });
        await take(store, user, 2);
        const [held] = await store.leases.holdings(user.id);
        assert.ok(held);
        await store.leases.credits(user.id);
        await store.leases.renew(user.id, [held]);
        await store.leases.release(user.id, [held]);
        assert.equal(await store.leases.expire(Date.now() + 365 * 24 * 3_600_000), 1);
        await store.ledger.statement(user.id, { limit: 10, before: 5 });
        await store.nodes.find(node);
        await store.nodes.advertisementsOf(user.key_id);
        await store.nodes.donationsOf(user.id);
        await store.nodes.sweep(Date.now() + 3_600_000_000);
        await store.closing.close({ actor: user.id, account: user });
        await store.closing.forgetLeft();
        await store.nodes.gone(node);
        await store.nodes.back([node], 1);
        await store.history.given(user.id, 30);
        await store.history.givenByNode(user.id);
      });
      assert.deepEqual(scans, []);
    });

    it('reads no large table from end to end: lists, page by page', async () => {
      const user = await accountOf(store, 'anna');
      const node = await donate(test, store, { by: user, vessels: 1 });
      const scans = await scansOf(async () => {
        for (const filter of [{}, { actor: user.id }, { action: 'vessel.acquire' }, { subject: node }]) {
          await store.audit.list(filter, { limit: 10 });
          await store.audit.list(filter, { limit: 10, before: 'x' });
        }
        await store.overview.users(undefined, { limit: 10 });
        await store.overview.users(undefined, { limit: 10, after: 'a' });
        await store.overview.user('anna');
        await store.overview.nodes('offered', { limit: 10, after: node });
        await store.overview.nodes(undefined, { limit: 10 });
        await store.overview.leases('anna', { limit: 10 });
        await store.overview.leases(undefined, { limit: 10 });
        await store.overview.vessels(node);
        await store.survey.donated(user.id);
      });
      assert.deepEqual(scans, []);
    });

    it('would be found reading one', async () => {
      const scans = await scansOf(async () => await store.survey.nodes());
      assert.ok(
        scans.some((scan) => scan.includes('SCAN donations')),
        scans.join('\n'),
      );
    });
  });
});

/** In the order of an index, and no further than the page goes, is no whole table. */
function bad(database: Sqlite.Database, text: string): string[] {
  const statement = database.prepare<unknown[], { detail: string }>(`explain query plan ${text}`);
  const details = statement.all(...Array(text.split('?').length - 1).fill(null)).map(({ detail }) => detail);
  const isPage = /\blimit\b/i.test(text) && !details.some((detail) => detail.startsWith('USE TEMP B-TREE FOR ORDER'));
  return details
    .filter((detail) => /^SCAN (?!\(|CONSTANT|\d+-ROW)/.test(detail))
    .filter((detail) => !SMALL.includes(detail.split(' ')[1] ?? ''))
    .filter((detail) => !SHORT.test(detail))
    .filter((detail) => !(isPage && detail.includes(' USING ')))
    .map((detail) => `${detail}: ${text}`);
}
