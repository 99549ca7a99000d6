import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, Shell } from '@potluck/seash';
import { donate, emptyPayload } from '../browser/donor.ts';
import { type Daemon, stop, World } from '../browser/world.ts';
import { PortalClient } from '../demo/portal-client.ts';
import type { Bulk } from './shells.ts';

interface Deployed extends CommandResult {
  readonly changes: { change: string; name?: string; count?: number }[];
  readonly failed: Bulk['failed'];
}

describe('deployments at a clearinghouse', function () {
  this.timeout(180_000);
  let world: World;
  let url: string;
  let shell: Shell;
  const nodes = new Map<string, Daemon>();

  before(async () => {
    world = await World.create();
    ({ url } = await world.clearinghouse('--payload', await emptyPayload(world.directory)));
    for (const name of ['one', 'two']) {
      nodes.set(name, await donate(world, url, { name, vessels: 2, config: { labels: [name] } }));
    }
    shell = new Shell({ directory: world.directory, clearinghouse: url });
    await shell.execute('genkeys alice');
    const portal = new PortalClient(url, new AbortController().signal);
    const account = { username: 'alice', password: 'secret of alice' };
    await portal.register(account, shell.session.identity('alice'));
    await writeFile(join(world.directory, 'worker.js'), 'settimer(1e6, () => undefined);\n');
  });
  after(async () => {
    await shell.stop();
    await world[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    for (;;) {
      const answer = await fetch(url, { headers: { accept: 'application/json' } });
      if (((await answer.json()) as { free: number }).free === 4) return; // What was released has been emptied.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });

  const declare = async (more: object = {}): Promise<void> => {
    const facts = { name: 'work', program: 'worker.js', count: 2, where: { type: 'random' }, every: '50ms', ...more };
    const text = JSON.stringify({ ...facts, rollout: { healthyAfter: '1ms' } });
    await writeFile(join(world.directory, 'd.yaml'), text);
  };
  const say = async (line: string): Promise<Deployed> => (await shell.execute(line)) as Deployed;
  const changesOf = ({ changes }: Deployed): string[] => changes.map(({ change }) => change);
  const held = async (): Promise<{ handle: string; expiresAt: string }[]> => {
    return ((await shell.execute('show account')) as unknown as { vessels: { handle: string; expiresAt: string }[] })
      .vessels;
  };

  it('apply acquires what is missing, a second apply nothing, and destroy gives all back', async () => {
    await declare();
    assert.deepEqual(changesOf(await say('diff d.yaml')), ['acquire']);
    await declare({ args: ['{{first}}', '{{peers}}'] });
    const applied = await say('apply d.yaml');
    assert.deepEqual(
      [applied.ok, changesOf(applied)],
      [true, ['acquire', 'create', 'create']],
      JSON.stringify(applied),
    );
    assert.equal((await held()).length, 2);
    const other = new Shell({ directory: world.directory, clearinghouse: url });
    await other.execute('loadkeys alice');
    const again = (await other.execute('apply d.yaml')) as Deployed;
    assert.deepEqual([again.ok, again.changes], [true, []], JSON.stringify(again));
    await other.stop();
    assert.deepEqual(changesOf(await say('destroy d.yaml')), ['remove', 'remove']);
    assert.deepEqual(await held(), []);
  });

  it('apply acquires by the rules of the deployment, and says by how much they cannot be met', async () => {
    await declare({ where: { type: 'lan', rules: ['label=two'] } });
    const applied = await say('apply d.yaml');
    assert.deepEqual(
      [applied.ok, changesOf(applied)],
      [true, ['acquire', 'create', 'create']],
      JSON.stringify(applied),
    );
    const handles = (await held()).map(({ handle }) => handle);
    assert.deepEqual(await busiest(handles), ['two', 2]);
    await declare({ count: 3, where: { type: 'lan', rules: ['label=two'] } });
    const refused = await say('apply d.yaml');
    assert.equal(refused.ok, false);
    assert.match(JSON.stringify(refused), /expected 1 free vessel labelled two, got 0: 1 short/);
    assert.deepEqual(
      (await held()).map(({ handle }) => handle),
      handles,
      'what it has stays',
    );
    await say('destroy d.yaml');
  });

  it('apply renews the leases that end too soon, and leaves alone what is held for other things', async () => {
    await shell.execute('get 1');
    await shell.execute('on acquired run worker.js');
    await declare({ renew: '1d' });
    const applied = await say('apply d.yaml');
    assert.equal(applied.ok, true, JSON.stringify(applied));
    assert.equal(changesOf(applied).filter((change) => change === 'renew').length, 2);
    const days = (await held()).map(({ expiresAt }) => Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000));
    assert.deepEqual(days.sort(), [0, 7, 7]);
    assert.deepEqual((await say('apply d.yaml')).changes, []);
    await say('destroy d.yaml');
    assert.equal((await held()).length, 1);
    await shell.execute('release %all');
  });

  it('what an apply has acquired that was cut off then is taken by the next one', async () => {
    await declare();
    const victim = new Shell({ directory: world.directory, clearinghouse: url });
    await victim.execute('loadkeys alice');
    const ending = new AbortController();
    const { connections } = victim.session;
    const call = connections.call.bind(connections);
    connections.call = async (endpoint, request) => {
      if (request.method === 'AddFileToVessel') ending.abort();
      return await call(endpoint, request);
    };
    assert.equal((await victim.execute('apply d.yaml', { signal: ending.signal })).error?.code, 'CANCELLED');
    await victim.stop();
    assert.equal((await held()).length, 2);
    const applied = await say('apply d.yaml');
    assert.deepEqual([applied.ok, changesOf(applied)], [true, ['create', 'create']], JSON.stringify(applied));
    await say('destroy d.yaml');
  });

  it('--watch replaces the vessels of a node that was killed by others, and gives them back', async () => {
    await declare({ replaceAfter: '200ms' });
    const ending = new AbortController();
    const told: string[] = [];
    const many = (change: string): number => told.filter((what) => what === change).length;
    let before: string[] = [];
    let lost = 0;
    const onEvent = async (facts: object & { change?: string }): Promise<void> => {
      told.push(facts.change ?? 'trouble');
      if (before.length === 0 && many('create') === 2) {
        before = (await held()).map(({ handle }) => handle);
        const [busy, vessels] = await busiest(before);
        lost = vessels;
        await stop(nodes.get(busy) ?? assert.fail(), 'SIGKILL');
      }
      if (lost > 0 && many('release') === lost && many('create') === 2 + lost) ending.abort();
    };
    const { error } = await shell.execute('apply --watch d.yaml', { signal: ending.signal, onEvent });
    assert.ok(error === undefined || error.code === 'CANCELLED', told.join());
    const after = (await held()).map(({ handle }) => handle);
    assert.equal(after.length, 2);
    assert.equal(after.filter((handle) => before.includes(handle)).length, 2 - lost);
    assert.deepEqual(changesOf(await say('destroy d.yaml')), ['remove', 'remove']);
  });

  /** The node that has most of the vessels, and how many. */
  async function busiest(handles: readonly string[]): Promise<[name: string, vessels: number]> {
    const { vessels } = (await shell.execute('on %all list')) as Bulk;
    const mine = vessels.filter(({ node, vessel }) => handles.includes(`${node}:${vessel}`));
    const counted = [...nodes.keys()].map(async (name): Promise<[string, number]> => {
      const { port } = JSON.parse(await readFile(join(world.directory, name, 'address.json'), 'utf8'));
      return [name, mine.filter((vessel) => String(vessel.name).includes(`:${port}:`)).length];
    });
    return (await Promise.all(counted)).sort(([, a], [, b]) => b - a)[0] ?? assert.fail();
  }
});
