import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { NodeClient, VesselName } from '@potluck/protocol';
import { rejectsWith, TestNode } from './support.ts';

const vessel = 'v1' as VesselName;

describe('a node that measures how far a host is', () => {
  let node: TestNode;
  let owner: NodeClient;
  let server: Server;
  let taken = 0;

  before(async () => {
    const config = { destinations: ['deny 193.0.6.0/24', 'allow 127.0.0.2/32'] };
    node = await TestNode.start({ config, limits: { latencyPerMinute: 3 } });
    owner = await node.client(node.owner);
    server = createServer((socket) => {
      taken += 1;
      socket.on('error', () => undefined).destroy();
    });
    server.listen(0, '127.0.0.2');
    await once(server, 'listening');
  });
  after(async () => {
    server.close();
    await node[Symbol.asyncDispose]();
  });

  const measure = async (client: NodeClient, address: string, port = 443): Promise<number | null> =>
    (await client.call('MeasureLatency', { vessel, address, port })).result.ms;

  it('does so for the owner of a vessel alone', async () => {
    for (const identity of [node.user, node.stranger]) {
      await rejectsWith(measure(await node.client(identity), '127.0.0.2', 1), 'NOT_PERMITTED');
    }
  });

  it('connects nowhere that programs may not: not here, not to its network, and not where its operator forbids it', async () => {
    for (const address of [
      '127.0.0.1',
      '::1',
      '10.0.0.1',
      '192.168.1.1',
      '169.254.169.254',
      'fe80::1',
      '::ffff:10.0.0.1',
      '224.0.0.1',
      '0.0.0.0',
      '193.0.6.139',
    ]) {
      await rejectsWith(measure(owner, address), 'NOT_PERMITTED');
    }
    await rejectsWith(measure(owner, 'example.org'), 'BAD_PARAMETERS');
    await rejectsWith(measure(owner, '127.0.0.2', 65_536), 'BAD_PARAMETERS');
    assert.equal(taken, 0);
  });

  it('says the shortest time of three, null where nobody answers, and no more in a minute than its limit', async () => {
    const { port } = server.address() as AddressInfo;
    const ms = await measure(owner, '127.0.0.2', port);
    assert.ok(ms !== null && ms > 0);
    assert.equal(await measure(owner, '127.0.0.2', 1), null);
    assert.ok(await measure(owner, '127.0.0.2', port));
    const params = { vessel, address: '127.0.0.2', port };
    await rejectsWith(owner.call('MeasureLatency', params, { timeoutMs: 1000 }), 'BUSY');
    assert.equal(taken, 6);
  });
});
