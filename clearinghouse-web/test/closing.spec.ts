import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { generateIdentity, type KeyId, type VesselName } from '@potluck/protocol';
import { asOperator } from '../src/operator.ts';
import type { Account } from '../src/store/accounts.ts';
import { transact } from '../src/store/database.ts';
import { withSnapshot } from '../src/store/snapshot.ts';
import type { Store } from '../src/store/store.ts';
import type { Api } from './support/api.ts';
import { forEachDatabase } from './support/databases.ts';
import { donate, take } from './support/rows.ts';
import { eventually, Site } from './support/site.ts';

const NAME = 'Zebra_Anna';
const V1 = 'v1' as VesselName;

forEachDatabase((test) => {
  describe('an account that is deleted', () => {
    let store: Store;
    let other: Store;
    let anna: Account;
    let user: Account;

    beforeEach(async () => {
      store = await test.open();
      other = await test.openBeside(store);
      [anna, user] = [await made(NAME), await made('user')];
    });

    async function made(username: string): Promise<Account> {
      const { publicJwk: publicKey } = generateIdentity();
      const email = `${username}@example.org`;
      return await store.accounts.create({ username, email, passwordHash: `hash of ${username}`, publicKey });
    }
    const leave = async (account: Account): Promise<void> => {
      await store.closing.close({ actor: account.id, account });
    };
    const key = { publicKey: Uint8Array.from([1]), counter: 0, name: 'key', transports: [] };
    const wanted = { name: 'one', scopes: ['account' as const], expiresAt: Date.now() + 60_000 };

    it('leaves nothing that says who it was, and books that add up', async () => {
      await donate(test, store, { by: user, vessels: 3 });
      await take(store, anna, 2);
      const next = generateIdentity();
      await store.accounts.changeKey(anna.id, next.publicJwk);
      await store.leases.reserve({ id: randomUUID(), accountId: anna.id }, 1);
      await store.sessions.begin(anna.id);
      await store.devices.remember(anna.id);
      await store.tokens.create(anna.id, wanted);
      await store.passkeys.add(anna.id, { id: randomUUID(), ...key });
      const named = { accountId: anna.id, key: 'once', attempt: randomUUID(), count: 1, type: 'random' as const };
      await store.acquisitions.begin(named);
      await leave(anna);
      const all = await everything(test.location);
      const keys = [anna.key_id, anna.public_x, next.id, next.publicJwk.x];
      for (const secret of [NAME, 'zebra', ...keys, anna.donor_token]) {
        assert.doesNotMatch(JSON.stringify(all).toLowerCase(), new RegExp(secret.toLowerCase()));
      }
      for (const table of ['sessions', 'devices', 'tokens', 'passkeys', 'acquisitions']) {
        assert.deepEqual(all[table], [], table);
      }
      assert.deepEqual(
        new Set(all.vessels?.map(({ state, account_id }) => `${state} ${account_id}`)),
        new Set(['cleaning null']),
      );
      assert.deepEqual(await store.ledger.check(), []);
      const kinds = (await store.ledger.statement(anna.id, { limit: 3 })).entries.map(({ why }) => why).sort();
      assert.deepEqual(kinds, ['hand-back', 'release', 'release']);
      const actions = (await store.audit.list({ actor: anna.id }, { limit: 3 })).map(({ action }) => action).sort();
      assert.deepEqual(actions, ['account.delete', 'vessel.release', 'vessel.release']);
    });

    it('has a name that nobody gets any more, in whatever capitals, and is found by nothing', async () => {
      await leave(anna);
      for (const name of [NAME, NAME.toUpperCase()]) await assert.rejects(made(name), { code: 'USERNAME_TAKEN' });
      await made(`${NAME}_2`);
      assert.equal(await store.accounts.byUsername(NAME), undefined);
      assert.deepEqual(await store.accounts.byKey(anna.key_id), []);
      assert.equal(await store.accounts.byDonorToken(anna.donor_token), undefined);
      assert.equal(await store.overview.user(NAME), undefined);
      const users = await store.overview.users(undefined, { limit: 9 });
      assert.deepEqual(
        users.map(({ username }) => username),
        ['user', `${NAME}_2`],
      );
      assert.deepEqual(await store.overview.names([anna.id, user.id]), new Map([[user.id, 'user']]));
    });

    it('is given nothing that was under way', async () => {
      await donate(test, store, { by: user, vessels: 1 });
      await leave(anna);
      for (const late of [
        () => store.sessions.begin(anna.id),
        () => store.devices.remember(anna.id),
        () => store.tokens.create(anna.id, wanted),
        () => store.passkeys.add(anna.id, { id: 'late', ...key }),
        () => store.accounts.setPassword(anna.id, 'other', { session: '' }),
        () => store.accounts.changeKey(anna.id, generateIdentity().publicJwk),
        () => take(store, anna, 1),
        () => leave(anna),
      ]) {
        await assert.rejects(late, { code: 'NO_SUCH_ACCOUNT' }, String(late));
      }
    });

    it('gives machines that are drained, and forgotten when nobody has anything on them', async () => {
      const node = await donate(test, store, { by: anna, vessels: 2 });
      await take(store, user, 1);
      const [held] = await store.leases.holdings(user.id);
      assert.ok(held);
      await leave(anna);
      await assert.rejects(take(store, user, 1), { code: 'UNABLE_TO_ACQUIRE' });
      await assert.rejects(store.leases.renew(user.id, [held]), { code: 'DRAINING' });
      await assert.rejects(store.care.drain('operator', node, false), { code: 'INVALID_REQUEST' });
      assert.equal(await store.closing.forgetLeft(), false, 'its holder has it until its lease ends');
      assert.equal((await store.leases.holdings(user.id)).length, 1);
      await store.leases.expire(held.expiresAt);
      assert.equal(await store.closing.forgetLeft(), false, 'it is to be emptied');
      await clean(node, held.name);
      assert.equal(await store.closing.forgetLeft(), true);
      assert.equal(await store.closing.forgetLeft(), false);
      assert.equal((await store.overview.node(node))?.life, null);
      const { donations, vessels } = await everything(test.location);
      assert.deepEqual([donations, vessels], [[], []]);
      assert.deepEqual(await store.ledger.check(), []);
      assert.deepEqual(
        (await store.audit.list({ subject: node }, { limit: 2 })).map(({ action, actor }) => [action, actor]),
        [
          ['node.forget', 'site'],
          ['node.drain', anna.id],
        ],
      );
    });

    it('gives machines that are known while they are gone, until they are back and emptied, and takes in no later ones', async () => {
      const node = await donate(test, store, { by: anna, vessels: 1 });
      await take(store, user, 1);
      await leave(anna);
      await store.nodes.gone(node);
      await store.nodes.sweep(Date.now() + 48 * 3_600_000);
      assert.equal((await store.overview.node(node))?.life, 'gone');
      assert.equal(await store.closing.forgetLeft(), false, 'its holder’s program may run there still');
      await assert.rejects(store.care.forget('operator', node), { code: 'INVALID_REQUEST' }, 'nor by an administrator');
      await clean(node, V1);
      assert.equal(await store.closing.forgetLeft(), true);
      for (const _ of ['a new one', 'and another']) await donate(test, store, { by: anna, vessels: 2 });
      const { donations, vessels } = await everything(test.location);
      assert.deepEqual([donations, vessels], [[], []]);
      assert.deepEqual(await store.ledger.check(), []);
    });

    it('is not the last administrator’s, also when the last two go at once, and no administrator’s by another', async () => {
      for (const { username } of [anna, user]) await store.administration.setRole('operator', username, 'admin');
      await assert.rejects(store.closing.close({ actor: user.id, account: anna.id }), { code: 'INVALID_REQUEST' });
      const both = await Promise.allSettled([
        store.closing.close({ actor: anna.id, account: anna.id }),
        other.closing.close({ actor: user.id, account: user.id }),
      ]);
      const codes = both.map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.code)).sort();
      assert.deepEqual(codes, ['LAST_ADMINISTRATOR', 'done']);
    });

    async function clean(node: KeyId, name: VesselName): Promise<void> {
      const { vessels } = await everything(test.location);
      const row = vessels?.find((one) => one.node_id === node && one.name === name);
      await transact(test.connect(), async (trx) => {
        await store.inventory.cleaned(trx, { node, name }, Number(row?.fence));
      });
    }
  });
});

describe('deleting an account', () => {
  let site: Site;
  let admin: Api;
  let user: Api;

  before(async () => {
    site = await Site.start();
    admin = await site.administrator('admin');
  });
  beforeEach(async () => {
    user = await site.api().join(`user${randomUUID().slice(0, 8)}`);
  });
  after(async () => await site[Symbol.asyncDispose]());

  const nameOf = async (): Promise<string> => (await user.get('/account')).body.username;

  it('takes its password once more, ends all of it, and empties its vessels on their machines', async () => {
    const name = await nameOf();
    const peer = await site.peer(admin, 'admin', 1);
    await user.post('/vessels/acquire', { count: 1 });
    const token = (await user.token(name, 'account')).secret;
    const link = new URL((await user.get('/donations')).body.downloadUrl).pathname;
    for (const body of [{}, { current: '' }, { current: 'not it' }]) {
      assert.match((await user.post('/account/delete', body)).body.code, /^(WRONG_PASSWORD|INVALID_REQUEST)$/);
    }
    assert.equal(
      (await user.signed('POST', '/account/delete', { current: `secret of ${name}` })).body.code,
      'FORBIDDEN',
    );
    const { cookie } = user;
    assert.equal((await user.post('/account/delete', { current: `secret of ${name}` })).status, 200);
    await eventually(async () => (peer.done.includes(`ResetVessel ${V1}`) ? true : undefined));
    assert.deepEqual(peer.vessels.get(V1)?.users, []);
    assert.equal((await user.signed('GET', '/vessels')).body.code, 'UNKNOWN_KEY');
    assert.equal((await user.bearing(token, 'GET', '/account')).body.code, 'BAD_TOKEN');
    assert.equal((await user.get(link)).status, 404);
    const again = await site.api().open();
    assert.equal((await again.login(name)).body.code, 'WRONG_PASSWORD');
    assert.equal((await again.register(name)).body.code, 'USERNAME_TAKEN');
    again.cookie = cookie;
    assert.equal((await again.get('/account')).body.code, 'NOT_AUTHENTICATED');
    await peer.hangUp();
  });

  it('has what was held on its machine emptied when that comes back after days', async () => {
    const name = await nameOf();
    const peer = await site.peer(user, name, 1, { labels: ['away'] });
    assert.equal((await admin.post('/vessels/acquire', { count: 1, rules: ['label=away'] })).status, 201);
    const holder = peer.vessels.get(V1)?.users;
    assert.equal(holder?.length, 1);
    const { port } = peer;
    await peer.close();
    await peer.hangUp();
    const node = peer.identity.id;
    const lifeOf = (): unknown => site.rows('SELECT life FROM nodes WHERE id = ?', node)[0]?.life;
    await eventually(async () => site.rows('SELECT 1 FROM nodes WHERE id = ? AND connected = 0', node)[0]);
    site.write('UPDATE nodes SET last_seen = ? WHERE id = ?', Date.now() - 48 * 3_600_000, node);
    await eventually(async () => lifeOf() === 'gone' || undefined);
    assert.equal((await user.post('/account/delete', { current: `secret of ${name}` })).status, 200);
    await asOperator({ state: site.state }, async (store) => await store.closing.forgetLeft());
    await peer.listen(port);
    await peer.advertise(site.gateway);
    await eventually(async () => peer.done.includes(`ResetVessel ${V1}`) || undefined);
    assert.deepEqual(peer.vessels.get(V1)?.users, []);
    await eventually(async () => lifeOf() === null || undefined);
    await peer.hangUp();
  });

  it('is an administrator’s to do, with a reason, and not to himself', async () => {
    const name = await nameOf();
    const ask = async (whom: string, body: object): Promise<string> =>
      (await admin.post(`/admin/users/${whom}/delete`, body)).body.code;
    assert.equal(await ask(name, { reason: ' ' }), 'INVALID_REQUEST');
    assert.equal(await ask('admin', { reason: 'tired' }), 'INVALID_REQUEST');
    assert.equal((await admin.post('/account/delete', { current: 'secret of admin' })).body.code, 'LAST_ADMINISTRATOR');
    assert.equal(await ask(name, { reason: 'asked for it' }), undefined);
    assert.equal(await ask(name, { reason: 'again' }), 'NO_SUCH_ACCOUNT');
    assert.equal((await user.get('/account')).body.code, 'NOT_AUTHENTICATED');
    const [entry] = (await admin.get('/admin/audit?action=account.delete&limit=1')).body.entries;
    assert.equal(entry?.details.reason, 'asked for it');
  });
});

async function everything(location: string): Promise<Record<string, Record<string, unknown>[]>> {
  return await withSnapshot(location, async (snapshot) => {
    const all: Record<string, Record<string, unknown>[]> = {};
    for (const table of snapshot.tables) all[table.name] = await Array.fromAsync(snapshot.rows(table));
    return all;
  });
}
