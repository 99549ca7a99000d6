import assert from 'node:assert/strict';
import { join } from 'node:path';
import { sql } from 'kysely';
import { openDatabase } from '../src/store/database.ts';
import type { Api } from './support/api.ts';
import { eventually, Site } from './support/site.ts';

describe('administration', () => {
  let site: Site;
  let admin: Api;
  let user: Api;

  beforeEach(async () => {
    site = await Site.start();
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
    const [{ id }] = site.rows("SELECT id FROM accounts WHERE username = 'admin'") as [{ id: string }];
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

  it('has an audit log that the database itself lets nobody change', async () => {
    const db = openDatabase(join(site.directory, 'state', 'clearinghouse.sqlite'));
    try {
      await assert.rejects(sql`UPDATE audit SET actor = 'nobody'`.execute(db), /append-only/);
      await assert.rejects(sql`DELETE FROM audit`.execute(db), /append-only/);
    } finally {
      await db.destroy();
    }
    assert.equal(site.rows("SELECT 1 FROM audit WHERE action = 'account.role'").length, 1);
  });
});
