import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HeldVessel, NodeClient, wayText } from '@potluck/protocol';
import { Shell } from '@potluck/seash';
import { donate, emptyPayload } from '../browser/donor.ts';
import { stop, World } from '../browser/world.ts';
import { type Bulk, wordsTo } from './shells.ts';
import { User } from './user.ts';

type Site = Awaited<ReturnType<World['clearinghouse']>>;

/** Says five lines one after the other. */
const COUNT = `let n = 0;
const count = () => {
  log(n + '\\n');
  n += 1;
  if (n < 5) settimer(0.02, count);
};
count();
`;

describe('a node that nobody can reach but through the relay', function () {
  this.timeout(180_000);
  let world: World;
  let site: Site;
  let shell: Shell;
  let held: HeldVessel;

  before(async () => {
    world = await World.create();
    site = await world.clearinghouse('--payload', await emptyPayload(world.directory));
    await donate(world, site.url, { name: 'donor', vessels: 1, config: { advertise: [] } });
    shell = new Shell({ directory: world.directory, clearinghouse: site.url });
    await well('genkeys user');
    const user = await new User(site.url, shell.session.identity('user')).join('user');
    // The backend asks the node for its vessels and hands one over, all through the relay.
    const { vessels } = await user.ask('/vessels/acquire', { count: 1, type: 'nat' });
    held = vessels[0] ?? assert.fail('expected a vessel');
  });
  after(async () => {
    await shell.stop();
    await world[Symbol.asyncDispose]();
  });

  const { well, ended } = wordsTo(() => shell);
  const write = async (name: string, content: string | Buffer) => await writeFile(join(world.directory, name), content);
  /** What the vessel's program writes, over a connection of its own. */
  const follow = async function* () {
    const identity = shell.session.identity('user');
    await using client = await NodeClient.connect({ reach: held.reach, node: held.node, identity });
    yield* client.followLog(held.vessel);
  };
  const browsed = async (): Promise<void> => {
    while ((await well('browse')).vessels.length === 0);
    await well(`on ${held.handle}`);
  };

  it('is donated, acquired, handed over, and browsed by seash', async () => {
    assert.deepEqual([held.address, held.reach], [undefined, { addresses: [], relays: [site.gateway] }]);
    const identity = shell.session.identity('user');
    await using client = await NodeClient.connect({ reach: held.reach, node: held.node, identity });
    assert.equal(client.way, wayText(site.gateway));
    await browsed();
    assert.equal(shell.session.targets.resolve(held.handle).length, 1);
  });

  it('runs programs, shows their logs, and follows them while they are written', async () => {
    await write('hello.ts', "const who: string = callargs[0] ?? 'nobody';\nlog('hello', who);\n");
    await well('run hello.ts relay');
    await ended('list');
    assert.deepEqual(
      (await well('show log')).vessels.map(({ text }) => text),
      ['hello relay'],
    );
    await well('reset');
    await write('count.js', COUNT);
    const lines: string[] = [];
    const { ok } = await shell.execute('run --follow count.js', {
      onEvent: async (event) => {
        if (event.event === 'line') lines.push(event.line);
      },
    });
    assert.equal(ok, true);
    assert.deepEqual(lines.slice(0, 5), ['0', '1', '2', '3', '4']);
  });

  it('takes a file of some megabytes, and gives it back', async () => {
    const content = randomBytes(5_000_000);
    await write('large.bin', content);
    await well('upload large.bin');
    const { vessels } = await well('download large.bin');
    const back = await readFile(String(vessels[0]?.file));
    assert.ok(content.equals(back), `${back.length} bytes`);
    await well('reset');
  });

  it('is reached that way at once by a shell that was told of it by another', async () => {
    const ways = { [held.node]: wayText(site.gateway) };
    assert.deepEqual(shell.session.connections.ways, ways);
    await well('savestate state');
    await using other = new Shell({ directory: world.directory });
    await other.execute('loadkeys user');
    assert.equal((await other.execute('as user loadstate state')).ok, true);
    assert.deepEqual(other.session.connections.ways, ways);
    assert.equal((await other.execute(`as user on ${held.handle} list`)).ok, true);
  });

  it('is told apart from one that is gone when the relay is killed in the middle, and is back with it', async () => {
    await write('forever.js', "log('up');\nsettimer(1e6, () => undefined);\n");
    await well('run forever.js');
    const following = follow();
    assert.equal(Buffer.from((await following.next()).value?.attachment ?? []).toString(), 'up');
    await stop(site, 'SIGKILL');
    await assert.rejects(
      async () => {
        for (;;) await following.next();
      },
      { code: 'CLOSED' },
    );
    const { failed } = (await shell.execute('list')) as Bulk;
    assert.deepEqual(
      failed.map(({ code }) => code),
      ['UNREACHABLE'],
    );
    site = await world.clearinghouse('--gateway-port', String(site.gateway.port));
    for (;;) {
      const { ok, vessels } = (await shell.execute('list')) as Bulk;
      if (!ok) continue;
      assert.deepEqual(
        vessels.map(({ state }) => state),
        ['Started'],
      );
      return;
    }
  });
});
