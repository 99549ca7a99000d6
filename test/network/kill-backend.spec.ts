import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeManager } from '@potluck/nodemanager';
import { type Donation, generateIdentity, NodeClient } from '@potluck/protocol';
import { donationIn, emptyPayload } from '../browser/donor.ts';
import { World } from '../browser/world.ts';
import { Executioner, type Moment } from './executioner.ts';
import { backendOf, freePort, makeAdministrator } from './operator.ts';
import { User } from './user.ts';

/** Two slices and what splitting them costs. */
const WHOLE = `
  resource cpu .042\nresource memory 51000000\nresource diskused 200100000\nresource events 102
  resource filesopened 21\nresource insockets 20\nresource outsockets 20\nresource filewrite 21000
  resource fileread 21000\nresource netsend 20000\nresource netrecv 20000\nresource loopsend 200000
  resource looprecv 200000\nresource lograte 20100\nresource random 2000
  ${Array.from({ length: 20 }, (_, index) => `resource messport ${63_100 + index}\nresource connport ${63_100 + index}`).join('\n')}
`;

interface End {
  /** Of each vessel, by the node's own word. */
  readonly vessels: readonly { restrictions: string; state: string; users: readonly string[] }[];
  readonly life: string;
  readonly flights: number;
}

describe('a backend that is killed while a node is taken in and split', function () {
  this.timeout(600_000);
  let directory: string;
  let world: World;
  let site: Awaited<ReturnType<World['clearinghouse']>>;
  let admin: User;
  let donation: Donation;
  let rounds = 0;
  let undisturbed: End;

  before(async () => {
    world = await World.create();
    directory = world.directory;
    site = await world.clearinghouse('--payload', await emptyPayload(directory));
    admin = await new User(site.url).join('admin');
    await makeAdministrator(site.state, 'admin');
    const { downloadUrl } = (await admin.ask('/donations')) as unknown as { downloadUrl: string };
    const archive = join(directory, 'donor.tgz');
    await writeFile(archive, Buffer.from(await (await fetch(downloadUrl)).arrayBuffer()));
    donation = await donationIn(archive, directory);
    undisturbed = await takeIn(Number.POSITIVE_INFINITY, 'before');
  });
  after(async () => {
    await world[Symbol.asyncDispose]();
  });

  /** A new node, and one kill. @returns how it ends. */
  async function takeIn(at: number, moment: Moment): Promise<End> {
    rounds += 1;
    const state = join(directory, `node${rounds}`);
    const strike = (): void => void process.kill(backendOf(site.process.pid), 'SIGKILL');
    await using executioner = await Executioner.start();
    executioner.watch({ at, moment, strike });
    const vessels = [{ owner: donation.owner, users: [], restrictions: WHOLE }];
    const listen = { host: '127.0.0.1', port: await freePort() };
    executioner.leadTo(listen);
    const config = {
      listen,
      advertise: [executioner.address],
      gateway: donation.gateway,
      relay: false,
      warm: 0,
      vessels,
    };
    await mkdir(state, { mode: 0o700 });
    await writeFile(join(state, 'nodemanager.json'), JSON.stringify(config), { mode: 0o600 });
    await using node = new NodeManager({ state });
    await node.start();
    const path = `/admin/nodes/${node.id}`;
    const { node: seen } = (await admin.until(path, (answer) => lifeOf(answer) === 'offered')) as unknown as {
      node: { life: string };
    };
    const { flights } = executioner;
    assert.equal(executioner.hasStruck, at <= flights);
    await using client = await NodeClient.connect({ address: node.address, identity: generateIdentity() });
    const found = (await client.call('GetVessels', {})).result.vessels;
    const parts = await Promise.all(
      found.map(async ({ name, state: of, users }) => {
        const { restrictions } = (await client.call('GetVesselResources', { vessel: name })).result;
        return { restrictions, state: of, users };
      }),
    );
    return {
      vessels: parts.toSorted((a, b) => a.restrictions.localeCompare(b.restrictions)),
      life: seen.life,
      flights,
    };
  }

  it('makes two vessels of one when it is left in peace', () => {
    assert.equal(undisturbed.vessels.length, 2);
    for (const { state, users } of undisturbed.vessels)
      assert.deepEqual({ state, users }, { state: 'Fresh', users: [] });
  });

  // Once the answer to one thing was read, nothing is kept of it before the next is sent: a part of these is enough.
  for (const [moment, step] of [
    ['after', 1],
    ['before', 4],
  ] as const) {
    it(`comes to the same end, killed ${moment} ${step === 1 ? 'each' : 'every fourth'} thing that it sends`, async () => {
      for (let at = 1; at <= undisturbed.flights; at += step) {
        const { vessels, life } = await takeIn(at, moment);
        assert.deepEqual({ vessels, life }, { vessels: undisturbed.vessels, life: 'offered' }, `killed at ${at}`);
      }
    });
  }
});

function lifeOf(answer: object): unknown {
  return (answer as { node?: { life: string } }).node?.life;
}
