import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { directly, generateIdentity, LIMITS, NodeClient } from '@potluck/protocol';
import { rejectsWith, TestNode } from './support.ts';

describe('a node manager listens', () => {
  const ask = async (node: TestNode, host: string, port: number): Promise<string> => {
    const init = { address: { host, port }, node: node.id, identity: generateIdentity() };
    await using client = await NodeClient.connect(init);
    return (await client.call('GetVessels', {})).result.node;
  };

  it('on each address of a list, of IPv6 and IPv4', async () => {
    const listen = [
      { host: '::1', port: 0 },
      ...Array.from({ length: LIMITS.advertisedAddresses - 1 }, (_, n) => ({ host: `127.0.0.${n + 1}`, port: 0 })),
    ];
    await using node = await TestNode.start({ config: { listen } });
    assert.equal(node.address.host, '::1');
    for (const { host, port } of node.manager.addresses) assert.equal(await ask(node, host, port), node.id);
    assert.deepEqual(
      node.manager.addresses.map(({ host }) => host),
      listen.map(({ host }) => host),
    );
  });

  it('on both families at once when it is told "::"', async () => {
    const listen = [{ host: '::', port: 0 }];
    const advertise = [{ host: 'node.example', port: 1224 }];
    await using node = await TestNode.start({ config: { listen, advertise } });
    for (const host of ['::1', '127.0.0.1']) assert.equal(await ask(node, host, node.address.port), node.id);
  });

  it('and counts its connections over all of them together', async () => {
    const listen = ['127.0.0.1', '127.0.0.2'].map((host) => ({ host, port: 0 }));
    await using node = await TestNode.start({ config: { listen }, limits: { connections: 1 } });
    const [first, second] = node.manager.addresses.map((address) => directly(address));
    assert.ok(first !== undefined && second !== undefined);
    const identity = generateIdentity();
    await using _ = await NodeClient.connect({ reach: first, node: node.id, identity });
    await rejectsWith(NodeClient.connect({ reach: second, node: node.id, identity }), 'UNREACHABLE');
  });

  it('nowhere, when one of its addresses cannot be had', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port: other } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const listen = [other, port].map((one) => ({ host: '127.0.0.1', port: one }));
    await rejectsWith(TestNode.start({ config: { listen } }), 'PORT_IN_USE');
    const again = createServer().listen(other, '127.0.0.1');
    await once(again, 'listening');
    for (const server of [taken, again]) await new Promise((resolve) => server.close(resolve));
  });
});
