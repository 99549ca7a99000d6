import assert from 'node:assert/strict';
import { NodeClient, wayText } from '@potluck/protocol';
import { Shell } from '@potluck/seash';
import { donate, emptyPayload } from '../browser/donor.ts';
import { World } from '../browser/world.ts';
import { wordsTo } from './shells.ts';
import { User } from './user.ts';

describe('a node that nobody can reach but through the relay', function () {
  this.timeout(180_000);
  it('is donated, acquired, handed over, and browsed by seash', async () => {
    await using world = await World.create();
    const site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    await donate(world, site.url, { name: 'donor', vessels: 1, config: { advertise: [] } });
    const shell = new Shell({ directory: world.directory, clearinghouse: site.url });
    const { well } = wordsTo(() => shell);
    await well('genkeys user');
    const identity = shell.session.identity('user');
    const user = await new User(site.url, identity).join('user');
    // The backend asks the node for its vessels and hands one over, all through the relay.
    const [held] = (await user.ask('/vessels/acquire', { count: 1, type: 'nat' })).vessels;
    assert.ok(held);
    assert.deepEqual([held.address, held.reach], [undefined, { addresses: [], relays: [site.gateway] }]);
    await using client = await NodeClient.connect({ reach: held.reach, node: held.node, identity });
    assert.equal(client.way, wayText(site.gateway));
    while ((await well('browse')).vessels.length === 0);
    assert.equal(shell.session.targets.resolve(held.handle).length, 1);
    await shell.stop();
  });
});
