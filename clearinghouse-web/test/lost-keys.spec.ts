import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { aboutDonorKeys } from '../src/doctor/donor-keys.ts';
import { statePaths } from '../src/paths.ts';
import { Site, temporaryDirectory } from './support/site.ts';

describe('a clearinghouse that has lost its database of donors’ keys', () => {
  it('starts when the operator says that it is lost, and its donors can install again', async () => {
    await using directory = await temporaryDirectory();
    const state = join(directory.path, 'state');
    const paths = statePaths(state);
    const before = await Site.start({ state });
    const donor = await before.api().join('donor');
    const lost = await before.donorKey('donor');
    await before.peer(donor, 'donor', 1);
    await before[Symbol.asyncDispose]();
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${paths.backendKeys}${suffix}`, { force: true });
    const { state: finding, text } = await aboutDonorKeys({ main: paths.database, keys: paths.backendKeys });
    assert.equal(finding, 'wrong');
    assert.match(text, /should have 1 of 1: .*"clearinghouse run --new-keys-database" once/);
    await assert.rejects(Site.start({ state }), { code: 'BACKEND_GONE', message: /--new-keys-database/ });
    await using after = await Site.start({ state, newKeysDatabase: true });
    assert.notEqual(await after.donorKey('donor'), lost);
    const again = await after.api().open();
    await again.login('donor');
    await after.peer(again, 'donor', 1);
    assert.equal((await again.post('/vessels/acquire', { count: 1 })).status, 201);
  });
});
