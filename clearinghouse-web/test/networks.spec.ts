import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import {
  dialNode,
  type GatewayAddress,
  generateIdentity,
  type KeyId,
  type PeerError,
  type Reach,
  RequestError,
} from '@potluck/protocol';
import { networkOf, permitsFrom, reachFrom } from '../src/store/networks.ts';
import type { Api, ApiAnswer } from './support/api.ts';
import { type Peer, refuseFirst } from './support/peer.ts';
import { Site } from './support/site.ts';

describe('the network of a node', () => {
  for (const [host, network] of [
    ['10.1.2.3', '10.1.2.0/24'],
    ['10.1.2.255', '10.1.2.0/24'],
    ['::ffff:10.1.2.3', '10.1.2.0/24'],
    ['2001:db8:7:1::5', '2001:db8:7::/48'],
    ['2001:0DB8:0007:ffff:1:2:3:4', '2001:db8:7::/48'],
    ['2001:db8::1', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['Node.example.', 'node.example'],
    ['10.1.2', '10.1.2'],
  ] as const) {
    it(`of ${host} is ${network}`, () => assert.equal(networkOf(host), network));
  }
});

describe('where a node may be dialled', () => {
  const said = ['8.8.4.4', '10.0.0.5', '127.0.0.1', '169.254.169.254', 'fd00::1', '::ffff:192.168.0.1', 'node.example'];
  const relays = [{ host: '9.9.9.9', port: 8443, key: 'k'.repeat(43) as KeyId }];
  const hostsFrom = (host: string | undefined): string[] => {
    const reach = reachFrom(host, { addresses: said.map((one) => ({ host: one, port: 6379 })), relays });
    assert.deepEqual(reach.relays, relays);
    return reach.addresses.map((address) => address.host);
  };

  it('is not on a network of the operator, when it comes from the open network', () => {
    for (const host of ['9.9.9.9', '::ffff:9.9.9.9', '2620:fe::fe']) {
      assert.deepEqual(hostsFrom(host), ['8.8.4.4', 'node.example'], host);
    }
  });

  it('is where it says, when it comes from such a network itself', () => {
    for (const host of ['127.0.0.1', '192.168.0.9', 'fd00::2', undefined])
      assert.deepEqual(hostsFrom(host), said, String(host));
  });
});

describe('where a name or a relay of a node leads', () => {
  const { id: node } = generateIdentity();
  let server: Server;
  let port = 0;
  let connections = 0;
  beforeEach(async () => {
    connections = 0;
    server = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, 'localhost');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(() => server.close());

  const gatewayAt = (host: string): GatewayAddress => ({ host, port, key: node });
  async function outcome(reach: Reach, network: string | null, gateway?: GatewayAddress): Promise<string> {
    const dialled = dialNode({ reach, node, permits: permitsFrom(network, gateway) });
    const error = await dialled.then(
      () => assert.fail(),
      (thrown: PeerError) => thrown,
    );
    assert.equal(error.code, 'UNREACHABLE');
    return error.message;
  }

  it('is judged by the address that is dialled, and no private one is, nor said', async () => {
    for (const host of ['localhost', '127.0.0.1', '::1']) {
      const direct = { addresses: [{ host, port }], relays: [] };
      const relayed = { addresses: [], relays: [gatewayAt(host)] };
      for (const reach of [direct, relayed]) {
        for (const network of ['9.9.9.0/24', '2620:fe:0::/48']) {
          const message = await outcome(reach, network, gatewayAt('gateway.example'));
          assert.match(message, /^expected an address that may be dialled at \S+, got another$/);
        }
      }
    }
    assert.equal(connections, 0);
  });

  it('is not judged of a node on a private network itself, nor of the own gateway as nodes know it', async () => {
    const localhost = { addresses: [{ host: 'localhost', port }], relays: [] };
    for (const network of ['127.0.0.0/24', '10.1.2.0/24', null]) {
      assert.match(await outcome(localhost, network), /^nobody can be reached/);
    }
    await outcome({ addresses: [], relays: [gatewayAt('localhost')] }, '9.9.9.0/24', gatewayAt('localhost'));
    assert.equal(connections, 4);
  });
});

describe('acquiring by networks', () => {
  let site: Site;
  let donor: Api;
  let user: Api;
  /** Two nodes in 127.0.1.0/24, and one in 127.0.2.0/24. */
  let peers: [Peer, Peer, Peer];

  beforeEach(async () => {
    site = await Site.start();
    donor = await site.api().join('donor');
    user = await site.api().join('user');
    peers = [
      await site.peer(donor, 'donor', 2, { host: '127.0.1.1' }),
      await site.peer(donor, 'donor', 2, { host: '127.0.1.2' }),
      await site.peer(donor, 'donor', 3, { host: '127.0.2.1' }),
    ];
  });
  afterEach(async () => await site[Symbol.asyncDispose]());

  const acquire = async (count: number, type?: string): Promise<ApiAnswer> =>
    await user.signed('POST', '/vessels/acquire', { count, ...(type !== undefined && { type }) });
  const networksOf = ({ body }: ApiAnswer): string[] => body.vessels.map(({ address }) => networkOf(address.host));

  it('wan: gives each vessel in another network, and no more than there are', async () => {
    const answer = await acquire(2, 'wan');
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(networksOf(answer).sort(), ['127.0.1.0/24', '127.0.2.0/24']);
    const again = await acquire(3, 'wan');
    assert.equal(again.body.code, 'UNABLE_TO_ACQUIRE');
    assert.match(again.body.detail, /expected 3 free vessels in as many different networks, got 2/);
  });

  it('wan: replaces a node that fails by one of a network that has given none', async () => {
    peers[0].gate = refuseUsers;
    const answer = await acquire(2, 'wan');
    assert.deepEqual(networksOf(answer).sort(), ['127.0.1.0/24', '127.0.2.0/24']);
    assert.ok(answer.body.vessels.every(({ node }) => node !== peers[0].identity.id));
  });

  it('believes the address that a node dials from, not the one that it says it has', async () => {
    await site.peer(donor, 'donor', 1, { host: '127.0.9.1', from: '127.0.1.9' });
    const networks = site.rows('SELECT network FROM nodes ORDER BY network').map(({ network }) => network);
    assert.deepEqual(networks, ['127.0.1.0/24', '127.0.1.0/24', '127.0.1.0/24', '127.0.2.0/24']);
    assert.match((await acquire(3, 'wan')).body.detail, /in as many different networks, got 2/);
  });

  it('lan: gives all vessels in one network, on its different nodes first', async () => {
    const answer = await acquire(4, 'lan');
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual([...new Set(networksOf(answer))], ['127.0.1.0/24']);
    const more = await acquire(4, 'lan');
    assert.match(more.body.detail, /expected 4 free vessels, got 3/);
  });

  it('lan: falls to the next network when nodes of the first fail, and gives back what it had of it', async () => {
    const refused = refuseFirst(peers);
    const answer = await acquire(3, 'lan');
    assert.equal(answer.status, 201, answer.text);
    const other = (await refused) === peers[2].identity.id ? '127.0.1.0/24' : '127.0.2.0/24';
    assert.deepEqual([...new Set(networksOf(answer))], [other]);
    assert.deepEqual((await user.signed('GET', '/account')).body.credits, { total: 10, used: 3 });
  });

  it('hands over nothing at a name that leads to the operator’s network, of a node from the open one', async () => {
    for (const peer of peers.slice(1)) await peer.hangUp();
    const reach = JSON.stringify({ addresses: [{ host: 'localhost', port: peers[0].port }], relays: [] });
    site.write('UPDATE nodes SET reach = ?, network = ?', reach, '9.9.9.0/24');
    assert.equal((await acquire(1)).body.code, 'UNABLE_TO_ACQUIRE');
    assert.deepEqual(peers[0].done, []);
  });

  it('nat: gives only what is behind a relay; random: any; and no other type', async () => {
    assert.match((await acquire(1, 'nat')).body.detail, /expected 1 free vessel behind a relay, got 0/);
    assert.equal((await acquire(7, 'random')).status, 201);
    assert.equal((await acquire(1, 'moon')).body.code, 'INVALID_REQUEST');
  });

  describe('under a name of the caller', () => {
    const named = async (count: number, idempotencyKey: string): Promise<ApiAnswer> =>
      await user.signed('POST', '/vessels/acquire', { count, idempotencyKey });
    const handles = ({ body }: ApiAnswer): string[] => body.vessels.map(({ handle }) => handle).sort();

    it('gives the first vessels again, and takes no more credits, however often and at once it is asked', async () => {
      const answers = await Promise.all([1, 2, 3].map(async () => await named(3, 'once')));
      const [first] = answers;
      assert.ok(first);
      for (const answer of answers) assert.deepEqual(handles(answer), handles(first));
      assert.deepEqual(handles(await named(3, 'once')), handles(first));
      assert.equal((await user.signed('GET', '/account')).body.credits.used, 3);
    });

    it('no longer gives what was released since', async () => {
      const first = await named(2, 'once');
      await user.signed('POST', '/vessels/release', { handles: handles(first).slice(0, 1) });
      assert.deepEqual(handles(await named(2, 'once')), handles(first).slice(1));
    });

    it('refuses another wish, and knows the names of each account apart', async () => {
      await named(1, 'once');
      const reused = await named(2, 'once');
      assert.deepEqual([reused.status, reused.body.code], [422, 'KEY_REUSED']);
      const other = await donor.signed('POST', '/vessels/acquire', { count: 2, idempotencyKey: 'once' });
      assert.equal(other.status, 201, other.text);
    });

    it('tries again what has failed', async () => {
      assert.equal((await named(8, 'once')).body.code, 'UNABLE_TO_ACQUIRE');
      await site.peer(donor, 'donor', 1);
      assert.equal((await named(8, 'once')).body.vessels.length, 8);
    });
  });
});

function refuseUsers(method: string): void {
  if (method === 'ChangeUsers') throw new RequestError('DISK_FULL', 'expected room, got none');
}
