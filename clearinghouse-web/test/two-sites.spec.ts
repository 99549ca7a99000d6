import assert from 'node:assert/strict';
import {
  fileNameSchema,
  type GatewayAddress,
  type KeyId,
  keyIdSchema,
  NodeClient,
  vesselNameSchema,
} from '@potluck/protocol';
import { POLICY } from '../src/limits.ts';
import { Api, type VesselView } from './support/api.ts';
import { Cluster } from './support/cluster.ts';
import { Book, Lodger } from './support/lodger.ts';
import { changed, passedOn } from './support/passer.ts';
import { Peer } from './support/peer.ts';
import { PostgresServer } from './support/postgres.ts';
import { eventually } from './support/site.ts';

const ROUNDS = 3;
const PEERS = 5;
const VESSELS = 4;
const LODGERS = 5;

/** With every port that an account may have. */
const RESTRICTIONS = `resource cpu 0.02
resource memory 50000000
resource diskused 10000000
resource events 100
resource lograte 100000
${Array.from({ length: 80 }, (_, index) => `resource messport ${63_100 + index}\nresource connport ${63_100 + index}`).join('\n')}
`;

describe('two site processes on one PostgreSQL, behind one address', function () {
  this.timeout(300_000);
  const stack = new AsyncDisposableStack();
  const peers = new Map<string, Peer>();
  let cluster: Cluster;
  let gateway: GatewayAddress;
  let owner: KeyId;

  const offered = async (): Promise<number> => {
    const rows = await cluster.database.selectFrom('nodes').select('id').where('life', '=', 'offered').execute();
    return rows.length;
  };
  before(async function () {
    const server = await PostgresServer.start();
    if (server === undefined) this.skip();
    stack.use(server);
    cluster = stack.use(await Cluster.start(server));
    gateway = await cluster.gateway();
    await new Api(cluster.url).join('donor');
    const donorKey = async () => {
      const row = await cluster.database.selectFrom('accounts').select('donor_key').executeTakeFirst();
      return row?.donor_key ?? undefined;
    };
    owner = keyIdSchema.parse(await eventually(donorKey));
    for (let index = 0; index < PEERS; index += 1) {
      const peer = stack.use(await new Peer(owner, VESSELS).listen());
      peers.set(peer.identity.id, peer);
      peer.stay(gateway);
    }
    await cluster.node(owner, RESTRICTIONS);
    await eventually(async () => (await offered()) === PEERS + 1 || undefined);
  });
  after(async () => await stack.disposeAsync());

  it('share sessions, accounts and what an account holds', async () => {
    const api = await new Api(cluster.url).join('shared');
    for (const { ports } of cluster.sites) {
      const there = Object.assign(new Api(`http://127.0.0.1:${ports[0]}`), { cookie: api.cookie });
      assert.equal((await there.get('/account')).body.username, 'shared');
    }
  });

  it('bring calls to a node that only one of them has, through either, whichever it answers', async () => {
    const api = await new Api(cluster.url).join('caller');
    const acquired = await api.post('/vessels/acquire', { count: 1, type: 'nat' });
    assert.equal(acquired.status, 201, acquired.text);
    const { node, vessel, handle } = acquired.body.vessels[0] ?? assert.fail('expected a vessel behind a relay');
    assert.equal(peers.get(node), undefined);
    // The node's answers go to one site and the other in turn, as its gateway address is the balancer's.
    for (const { ports } of [...cluster.sites, ...cluster.sites]) {
      const relay = { host: '127.0.0.1', port: ports[1], key: gateway.key };
      const reach = { addresses: [], relays: [relay] };
      await using client = await NodeClient.connect({ reach, node: keyIdSchema.parse(node), identity: api.identity });
      const { result } = await client.call('GetVessels', {});
      assert.deepEqual(result.vessels.find(({ name }) => name === vessel)?.users, [api.identity.id]);
    }
    await api.post('/vessels/release', { handles: [handle] });
  });

  it('pass a browser on to a node that only one of them has, and can change nothing on the way', async () => {
    const api = await new Api(cluster.url).join('browser');
    await everythingIsFree();
    const acquired = await api.post('/vessels/acquire', { count: 1, type: 'nat' });
    const held = acquired.body.vessels[0] ?? assert.fail(acquired.text);
    const [node, vessel] = [keyIdSchema.parse(held.node), vesselNameSchema.parse(held.vessel)];
    const name = fileNameSchema.parse('hello.js');
    for (const { ports } of cluster.sites) {
      const way = { api, node, port: ports[0], url: cluster.url };
      await using client = await passedOn(way);
      const text = Buffer.from(`log('hello', callargs[0], '${ports[0]}');`);
      await client.call('AddFileToVessel', { vessel, name }, { attachment: text });
      const { logFrom } = (await client.call('StartVessel', { vessel, program: name, args: ['two'] })).result;
      let log = '';
      for await (const { attachment } of client.followLog(vessel, { from: logFrom })) log += Buffer.from(attachment);
      assert.match(log, new RegExp(`^hello two ${ports[0]}`));
      const { attachment: back } = await client.call('RetrieveFileFromVessel', { vessel, name });
      assert.deepEqual(Buffer.from(back), text);
      for (const lies of [{ toBrowser: changed }, { toNode: changed }]) {
        await using cheated = await passedOn({ ...way, lies });
        const code = lies.toNode === undefined ? 'BAD_REPLY' : 'CLOSED';
        await assert.rejects(cheated.call('DeleteFileInVessel', { vessel, name }), { code });
      }
    }
    await api.post('/vessels/release', { all: true });
  });

  it(`lease no vessel twice and lose none when one is killed in the middle, ${ROUNDS} times`, async () => {
    const book = new Book();
    const lodgers = Array.from({ length: LODGERS }, (_, index) => new Lodger(cluster.url, `lodger${index}`, book));
    for (const { api, name } of lodgers) await api.join(name);
    const stop = new AbortController();
    const keyOf = new Map(lodgers.map(({ api, name }) => [name, api.identity.id]));
    const living = Promise.all([
      ...lodgers.map(async (lodger) => {
        await lodger.live(stop.signal, (vessel) => looksGiven(vessel, keyOf.get(lodger.name)));
      }),
      watchCredits(stop.signal),
    ]);
    const progress = async (): Promise<void> => {
      const before = lodgers.map(({ ended }) => ended);
      const all = before.reduce((sum, ended) => sum + ended) + 10;
      await eventually(async () => lodgers.reduce((sum, { ended }) => sum + ended, 0) >= all || undefined);
    };
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        await Promise.race([progress(), living]);
        const site = cluster.sites[round % 2] ?? assert.fail();
        await inTheMiddle(async () => await site.end('SIGKILL'));
        await Promise.race([progress(), living]); // The other one goes on alone.
        await site.start();
      }
      await Promise.race([progress(), living]);
    } finally {
      stop.abort();
      await living;
    }
    assert.ok(lodgers.every(({ acquired }) => acquired > 0));
    await everythingIsFree();
  });

  it('are both there again afterwards, with every node', async () => {
    const alive = async () => (await cluster.database.selectFrom('sites').select('id').execute()).length === 2;
    await eventually(async () => (await alive()) || undefined);
    const here = async () => {
      const rows = await cluster.database.selectFrom('nodes').select('id').where('connected', '=', 1).execute();
      return rows.length === PEERS + 1 || undefined;
    };
    await eventually(here);
  });

  /** The node itself says who uses it: the one who was told so. */
  function looksGiven({ node, vessel }: VesselView, user: KeyId | undefined): void {
    const peer = peers.get(node);
    if (peer !== undefined) assert.deepEqual(peer.vessels.get(vessel)?.users, [user]);
  }

  /** Nobody ever holds more than he may, reservations of killed sites included. */
  async function watchCredits(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const rows = await cluster.database
        .selectFrom('vessels')
        .select((eb) => ['account_id', eb.fn.countAll<number>().as('held')])
        .where('account_id', 'is not', null)
        .groupBy('account_id')
        .execute();
      for (const { held } of rows) assert.ok(Number(held) <= POLICY.freeCredits, `${held} vessels`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** While some node is being told who may use a vessel of it. */
  async function inTheMiddle(work: () => Promise<void>): Promise<void> {
    const [begun, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    for (const peer of peers.values()) {
      peer.gate = async (method) => {
        if (method !== 'ChangeUsers') return;
        begun.resolve();
        await done.promise;
      };
    }
    await begun.promise;
    await work();
    for (const peer of peers.values()) peer.gate = () => undefined;
    done.resolve();
  }

  /** What a killed site had reserved runs out, and all are emptied. */
  async function everythingIsFree(): Promise<void> {
    await eventually(async () => {
      const rows = await cluster.database.selectFrom('vessels').select('state').execute();
      return (rows.length === PEERS * VESSELS + 1 && rows.every(({ state }) => state === 'free')) || undefined;
    });
    for (const { vessels } of peers.values()) {
      assert.deepEqual(
        [...vessels.values()].flatMap(({ users }) => users),
        [],
      );
    }
  }
});
