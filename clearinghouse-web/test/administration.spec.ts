import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { openDatabase } from '../src/store/database.ts';
import type { Api } from './support/api.ts';
import { forEachDatabase } from './support/databases.ts';
import { eventually, Site } from './support/site.ts';

forEachDatabase((test) => {
  describe('administration', () => {
    let site: Site;
    let admin: Api;
    let user: Api;

    beforeEach(async () => {
      site = await Site.start(test.kind === 'PostgreSQL' ? { database: test.location } : {});
      admin = await site.administrator('admin');
      user = await site.api().join('user');
    });
    afterEach(async () => await site[Symbol.asyncDispose]());

    it('stops and empties all vessels of whom it bans, and ends his sessions', async () => {
      const peer = await site.peer(admin, 'admin', 2);
      assert.equal((await user.post('/vessels/acquire', { count: 2 })).status, 201);
      assert.equal((await admin.post('/admin/users/user/ban', { reason: 'spam' })).status, 200);
      await eventually(async () => ((await admin.get('/')).body.free === 2 ? true : undefined));
      assert.deepEqual(peer.done.filter((line) => line.startsWith('ResetVessel')).sort(), [
        'ResetVessel v1',
        'ResetVessel v2',
      ]);
      for (const vessel of peer.vessels.values()) assert.deepEqual(vessel.users, []);
      assert.equal((await user.get('/vessels')).body.code, 'NOT_AUTHENTICATED');
      assert.equal((await user.signed('GET', '/vessels')).body.code, 'BANNED');
      await user.open();
      assert.equal((await user.login('user', 'not his password')).body.code, 'WRONG_PASSWORD');
      const refused = await user.login('user');
      assert.equal(refused.status, 403);
      assert.equal(refused.body.code, 'BANNED');
      assert.equal((await admin.post('/admin/users/user/unban', {})).status, 200);
      assert.equal((await user.login('user')).status, 200);
    });

    it('bans nobody who is an administrator or not there, and nobody without a reason', async () => {
      const ask = async (name: string, reason: string): Promise<string> =>
        (await admin.post(`/admin/users/${name}/ban`, { reason })).body.code;
      assert.equal(await ask('admin', 'myself'), 'INVALID_REQUEST');
      assert.equal(await ask('nobody', 'away'), 'NO_SUCH_ACCOUNT');
      assert.equal(await ask('user', ' '), 'INVALID_REQUEST');
      assert.equal(await ask('user', 'x'.repeat(501)), 'INVALID_REQUEST');
      assert.equal((await user.get('/vessels')).status, 200);
      assert.equal(await ask('user', 'x'.repeat(500)), undefined);
    });

    it('writes down who did it, to whom and why, newest first and page by page', async () => {
      for (const reason of ['one', 'two', 'three']) await admin.post('/admin/users/user/ban', { reason });
      const first = (await admin.get('/admin/audit?action=account.ban&limit=2')).body;
      assert.deepEqual(
        first.entries.map(({ details }) => details.reason),
        ['three', 'two'],
      );
      const [{ id }] = (await site.query("SELECT id FROM accounts WHERE username = 'admin'")) as [{ id: string }];
      assert.equal(first.entries[0]?.actor, id);
      const second = (await admin.get(`/admin/audit?action=account.ban&limit=2&cursor=${first.next}`)).body;
      assert.deepEqual(
        second.entries.map(({ details }) => details.reason),
        ['one'],
      );
      assert.equal(second.next, undefined);
      assert.equal((await admin.get('/admin/audit?limit=501')).body.code, 'INVALID_REQUEST');
      assert.equal((await admin.get('/admin/audit?limit=500')).status, 200);
    });

    it('stops everything: keys are taken away, programs stopped, nothing acquired; lifted, all is given back', async () => {
      const peer = await site.peer(admin, 'admin', 3);
      assert.equal((await user.post('/vessels/acquire', { count: 2 })).status, 201);
      const keys = (): string[] => [...peer.vessels.values()].flatMap(({ users }) => users);
      assert.equal(keys().length, 2);
      assert.equal((await admin.post('/admin/emergency-stop', {})).body.code, 'INVALID_REQUEST', 'a reason is wanted');
      assert.equal((await admin.post('/admin/emergency-stop', { reason: 'a fire' })).status, 200);
      await eventually(async () =>
        peer.done.filter((line) => line.startsWith('StopVessel')).length === 2 ? true : undefined,
      );
      assert.deepEqual(keys(), []);
      const refused = await user.post('/vessels/acquire', { count: 1 });
      assert.equal(refused.status, 503);
      assert.equal(refused.body.code, 'STOPPED');
      assert.match(refused.body.detail, /a fire/);
      assert.equal((await user.get('/vessels')).body.vessels.length, 2, 'what is held is held');
      const { since, reason } = (await user.get('/account')).body.stopped ?? {};
      assert.deepEqual([typeof since, reason], ['number', 'a fire']);
      const { ok, stopped } = (await site.api().get('/status')).body as unknown as { ok: boolean; stopped: object };
      assert.deepEqual([ok, stopped], [false, { since }], 'and strangers are not told why');
      for (const path of ['/', '/vessels', '/account']) {
        const page = (await user.get(path, { accept: 'text/html' })).text;
        assert.match(page, /Everything is stopped<\/strong> by an administrator, <time[^>]*>[^<]+<\/time>: a fire/);
      }
      await eventually(async () => ((await admin.get('/admin')).body.stopped?.left === 0 ? true : undefined));
      assert.equal((await admin.post('/admin/emergency-stop/lift', {})).status, 200);
      await eventually(async () => (keys().length === 2 ? true : undefined));
      assert.deepEqual(new Set(keys()), new Set([user.identity.id]));
      assert.equal((await user.post('/vessels/acquire', { count: 1 })).status, 201);
      assert.equal((await admin.get('/admin')).body.stopped, null);
      assert.equal((await user.get('/account')).body.stopped, undefined);
      assert.doesNotMatch((await user.get('/', { accept: 'text/html' })).text, /is stopped/);
      assert.equal((await admin.get('/admin/audit?action=vessel.stop')).body.entries.length, 2);
    });

    it('stops a vessel whose node was away at the emergency stop, as soon as the node is back', async () => {
      const peer = await site.peer(admin, 'admin', 1);
      assert.equal((await user.post('/vessels/acquire', { count: 1 })).status, 201);
      const { port } = peer;
      await peer.hangUp();
      await peer.close();
      await admin.post('/admin/emergency-stop', { reason: 'a fire' });
      await eventually(async () =>
        (await site.query("SELECT 1 FROM tasks WHERE kind = 'rekey-vessel' AND attempts > 0"))[0] ? true : undefined,
      );
      await peer.listen(port);
      await peer.advertise(site.gateway);
      await eventually(async () => (peer.done.includes('StopVessel v1') ? true : undefined));
      assert.deepEqual(peer.vessels.get('v1')?.users, []);
    });

    it('drains a node: its lease stays and cannot be renewed, nobody gets anything there, until it is offered again', async () => {
      const peer = await site.peer(admin, 'admin', 2);
      const { vessels } = (await user.post('/vessels/acquire', { count: 1 })).body;
      const node = `/admin/nodes/${peer.identity.id}`;
      assert.equal((await admin.post(`${node}/drain`, {})).status, 200);
      assert.equal((await user.post('/vessels/acquire', { count: 1 })).body.code, 'UNABLE_TO_ACQUIRE');
      assert.equal((await user.post('/vessels/renew', { handles: [vessels[0]?.handle] })).body.code, 'DRAINING');
      assert.equal((await admin.get(node)).body.node.held, 1);
      await user.post('/vessels/release', { all: true });
      await eventually(async () => ((await admin.get(node)).body.node.held === 0 ? true : undefined));
      assert.equal((await admin.get('/')).body.free, 0);
      await admin.post(`${node}/undrain`, {});
      await eventually(async () => ((await admin.get('/')).body.free === 2 ? true : undefined));
    });

    it('renews all but what is on a drained node, and refuses only when nothing else is held', async () => {
      const [going, staying] = [await site.peer(admin, 'admin', 1), await site.peer(admin, 'admin', 1)];
      assert.equal((await user.post('/vessels/acquire', { count: 2 })).status, 201);
      const drained = `/admin/nodes/${going.identity.id}`;
      await admin.post(`${drained}/drain`, {});
      const leases = "SELECT expires_at FROM vessels WHERE node_id = ? AND state = 'leased'";
      const endOf = async (node: string): Promise<unknown> => (await site.query(leases, node))[0]?.expires_at;
      const [before, other] = [await endOf(going.identity.id), await endOf(staying.identity.id)];
      const form = new URLSearchParams({ all: 'yes', _csrf: user.csrfToken });
      const page = await fetch(`${user.url}/vessels/renew`, {
        ...{ method: 'POST', redirect: 'manual', body: form },
        headers: { accept: 'text/html', cookie: user.cookie },
      });
      assert.equal(page.headers.get('location'), '/vessels?notice=renewed-some');
      assert.equal(await endOf(going.identity.id), before);
      assert.ok(Number(await endOf(staying.identity.id)) > Number(other));
      assert.equal((await user.post('/vessels/renew', { all: true })).status, 200);
      await user.post('/vessels/release', { handles: [`${staying.identity.id}:v1`] });
      assert.equal((await user.post('/vessels/renew', { all: true })).body.code, 'DRAINING');
      await user.post('/vessels/release', { all: true });
      assert.equal(
        (await user.post('/vessels/renew', { all: true })).status,
        200,
        'nothing is held, and nothing is left out',
      );
    });

    it('shows why a node is broken, and tries it again or forgets it when told to', async () => {
      const peer = await site.peer(admin, 'admin', 2);
      const node = `/admin/nodes/${peer.identity.id}`;
      const life = async (): Promise<unknown> => (await admin.get(node)).body.node.life;
      const breakIt = async (vessel: string): Promise<void> => {
        await peer.hangUp();
        peer.vessels.delete(vessel);
        await peer.advertise(site.gateway);
        await eventually(async () => ((await life()) === 'broken' ? true : undefined));
      };
      assert.equal((await admin.post(`${node}/retry`, {})).body.code, 'INVALID_REQUEST');
      assert.equal((await admin.post(`${node}/forget`, {})).body.code, 'INVALID_REQUEST');
      await breakIt('v1');
      assert.match(String((await admin.get(node)).body.node.reason), /vessel v1 to be there as before, it is gone/);
      assert.equal((await admin.get('/admin/nodes?life=broken')).body.nodes.length, 1);
      await admin.post(`${node}/retry`, {});
      await eventually(async () => ((await life()) === 'offered' ? true : undefined));
      await breakIt('v2');
      await admin.post(`${node}/forget`, {});
      assert.equal(await life(), null);
      assert.equal((await admin.get('/admin/nodes')).body.nodes.length, 0);
      assert.equal((await admin.post(`${node}/drain`, {})).body.code, 'NO_SUCH_NODE');
    });

    it('lists users page by page, and those whose name begins so; "_" is a letter', async () => {
      for (const name of ['anna_1', 'anna_2', 'annax3']) await site.api().join(name);
      const names = async (query: string): Promise<string[]> =>
        (await admin.get(`/admin/users?${query}`)).body.users.map(({ username }) => username);
      assert.deepEqual(await names('search=Anna_'), ['anna_1', 'anna_2']);
      const first = (await admin.get('/admin/users?limit=3')).body;
      assert.deepEqual(
        first.users.map(({ username }) => username),
        ['admin', 'anna_1', 'anna_2'],
      );
      assert.deepEqual(await names(`limit=3&cursor=${first.next}`), ['annax3', 'user']);
    });

    it('lists who holds what', async () => {
      await site.peer(admin, 'admin', 3);
      await user.post('/vessels/acquire', { count: 3 });
      const first = (await admin.get('/admin/leases?limit=2')).body;
      assert.equal(first.leases.length, 2);
      const rest = (await admin.get(`/admin/leases?limit=2&cursor=${first.next}`)).body;
      assert.deepEqual(
        [...first.leases, ...rest.leases].map(({ holder }) => holder),
        ['user', 'user', 'user'],
      );
      assert.equal((await admin.get('/admin/leases?holder=admin')).body.leases.length, 0);
    });

    it('shows nothing of its pages to others, whatever their request is refused for', async () => {
      const page = { accept: 'text/html' };
      for (const [path, body, headers] of [
        ['/admin/users/admin/ban', {}, page],
        ['/admin/users/admin/ban', { reason: 'x' }, { ...page, 'x-csrf-token': 'stale' }],
        ['/admin/emergency-stop', {}, { ...page, 'x-csrf-token': 'stale' }],
      ] as const) {
        const form = new URLSearchParams(body as Record<string, string>).toString();
        const headersOf = { cookie: user.cookie, 'x-csrf-token': user.csrfToken, ...headers };
        const response = await fetch(user.url + path, {
          method: 'POST',
          headers: { ...headersOf, 'content-type': 'application/x-www-form-urlencoded' },
          body: form,
        });
        assert.equal(response.status, 403);
        assert.doesNotMatch(await response.text(), /Member since|The backend’s queue|aria-label="Administration"/);
      }
    });

    it('has an audit log that the database itself lets nobody change', async () => {
      const db = openDatabase(site.location);
      try {
        await assert.rejects(sql`UPDATE audit SET actor = 'nobody'`.execute(db), /append-only/);
        await assert.rejects(sql`DELETE FROM audit`.execute(db), /append-only/);
      } finally {
        await db.destroy();
      }
      assert.equal((await site.query("SELECT 1 FROM audit WHERE action = 'account.role'")).length, 1);
    });
  });
});
