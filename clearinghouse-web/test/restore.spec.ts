import assert from 'node:assert/strict';
import { join } from 'node:path';
import { restore } from '../src/backup/restore.ts';
import { backup } from '../src/backup/save.ts';
import { eventually, Site, temporaryDirectory } from './support/site.ts';

describe('a clearinghouse that is restored', () => {
  it('offers no vessel that was leased after the backup before it is emptied, and leases it to one only', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'backup');
    await using old = await Site.start();
    const donor = await old.api().join('donor');
    const peer = await old.peer(donor, 'donor', 1);
    await old.api().join('late');
    await backup({ state: join(old.directory, 'state') }, file);
    const late = old.api();
    await late.open();
    await late.login('late');
    assert.equal((await late.post('/vessels/acquire', { count: 1 })).status, 201);
    const [holder] = peer.vessels.get('v1')?.users ?? [];
    assert.ok(holder, 'it is in use when the site is lost');
    await peer.hangUp();
    await old.clearinghouse.stop();

    const before = peer.done.length;
    const state = join(directory.path, 'restored');
    await restore({ state, file });
    await using site = await Site.start({ state });
    const again = site.api();
    await again.open();
    assert.equal((await again.login('donor')).status, 200);
    const early = await again.post('/vessels/acquire', { count: 1 });
    assert.equal(early.body.code, 'UNABLE_TO_ACQUIRE', 'its node has not been seen yet');
    await peer.advertise(site.gateway);
    await eventually(async () => ((await again.get('/')).body.free === 1 ? true : undefined));
    assert.deepEqual(peer.done.slice(before), ['ChangeUsers v1', 'ResetVessel v1']);
    assert.deepEqual(peer.vessels.get('v1')?.users, []);
    assert.equal((await again.post('/vessels/acquire', { count: 1 })).status, 201);
    assert.equal(peer.vessels.get('v1')?.users.includes(holder), false);
  });
});
