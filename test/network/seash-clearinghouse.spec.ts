import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { QUANTITY_NAMES } from '@potluck/protocol';
import { COMMANDS, Shell } from '@potluck/seash';
import { asOperator } from '../../clearinghouse-web/src/operator.ts';
import { donate, emptyPayload, offered } from '../browser/donor.ts';
import { World } from '../browser/world.ts';
import { PortalClient } from '../demo/portal-client.ts';
import { type Bulk, wordsTo } from './shells.ts';

/** What a machine below gives is two of these, and what splitting it costs. */
const SLICE = { cpu: 0.005, memory: 20_000_000, diskused: 4_000_000, ports: 5 };
const OFFCUT = 'resource cpu .002\nresource memory 1000000\nresource diskused 100000\n';

describe('seash at a clearinghouse', function () {
  this.timeout(120_000);
  let world: World;
  let url: string;
  let state: string;
  let shell: Shell;

  before(async () => {
    world = await World.create();
    const policy = join(world.directory, 'policy.json');
    // So that what was just acquired is warned of, and what was renewed is not.
    const terms = { firstLeaseHours: 2, renewalHours: 48, warningHours: 3 };
    const nothing = Object.fromEntries(QUANTITY_NAMES.map((name) => [name, 0]));
    await writeFile(policy, JSON.stringify({ ...terms, slice: { ...nothing, ...SLICE } }));
    ({ url, state } = await world.clearinghouse('--policy', policy, '--payload', await emptyPayload(world.directory)));
    await donate(world, url, {
      name: 'one',
      vessels: 1,
      config: { labels: ['fast', 'gpu'], offcut: OFFCUT, destinations: ['allow 127.0.0.2/32'] },
    });
    await donate(world, url, { name: 'two', vessels: 1, config: { labels: ['gpu'], offcut: OFFCUT } });
    await offered(url, 4);
    shell = new Shell({ directory: world.directory, clearinghouse: url });
    await shell.execute('genkeys alice');
    const { signal } = new AbortController();
    const portal = new PortalClient(url, signal);
    const account = { username: 'alice', password: 'secret of alice' };
    await portal.register(account, shell.session.identity('alice'));
    await writeFile(join(world.directory, 'hello.js'), "log('hello\\n');\n");
  });
  after(async () => {
    await shell.stop();
    await world[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    await shell.execute('release %all');
    await offered(url, 4);
    shell.session.targetName = undefined;
  });

  const { well, ended } = wordsTo(() => shell);
  const failing = async (line: string): Promise<string | undefined> => (await shell.execute(line)).error?.code;

  it('get acquires vessels, which are the group "acquired" and the default target, ready for a program', async () => {
    const got = await well('get 3');
    assert.equal(got.vessels.length, 3);
    assert.equal(shell.prompt, 'alice@acquired !> ');
    await well('run hello.js');
    const { vessels } = await ended('list');
    assert.deepEqual(vessels.map(({ name }) => name).sort(), got.vessels.map(({ name }) => name).sort());
    assert.deepEqual(
      (await well('show log')).vessels.map(({ text }) => text),
      Array(3).fill('hello\n'),
    );
  });

  it('get leaves a default target that there is, and names the group anew', async () => {
    await well('get 1');
    await well('on %all');
    const [second] = (await well('get 1')).vessels;
    assert.equal(shell.session.targetName, '%all');
    const { groups } = (await shell.execute('show groups')) as unknown as {
      groups: { name: string; vessels: string[] }[];
    };
    assert.deepEqual(groups.find(({ name }) => name === 'acquired')?.vessels, [second?.id]);
  });

  it('get says why it got nothing, and has got nothing then', async () => {
    assert.equal(await failing('get 0'), 'BAD_ARGUMENTS');
    assert.equal(await failing('get 501'), 'BAD_ARGUMENTS');
    assert.equal(await failing('get many'), 'BAD_ARGUMENTS');
    assert.match((await shell.execute('get 1 van')).error?.message ?? '', /got "van": did you mean "wan"\?/);
    assert.equal(await failing('get 11'), 'NOT_ENOUGH_CREDITS');
    assert.equal(await failing('get 5'), 'UNABLE_TO_ACQUIRE');
    assert.equal(await failing('get 2 wan'), 'UNABLE_TO_ACQUIRE', 'one machine is one network');
    assert.equal(await failing('get 1 nat'), 'UNABLE_TO_ACQUIRE');
    assert.equal((await well('get 2 lan')).vessels.length, 2);
  });

  it('get chooses by rules, and says which could not be met and by how much', async () => {
    const nodesOf = ({ vessels }: Bulk): Set<unknown> => new Set(vessels.map(({ node }) => node));
    const fast = await well('get 2 label=fast');
    assert.equal(nodesOf(fast).size, 1);
    const [other] = (await well('get 1 label=gpu label!=fast')).vessels;
    assert.equal(nodesOf(fast).has(other?.node), false);
    const saying = async (line: string): Promise<string | undefined> => (await shell.execute(line)).error?.message;
    assert.match(
      (await saying('get 1 label=fast')) ?? '',
      /^expected 1 free vessel labelled fast, got 0: 1 short, try fewer, or without it \(label=fast\)$/,
    );
    await well('release %all');
    await offered(url, 4);
    assert.equal(nodesOf(await well('get 2 owners=different label=gpu')).size, 2);
    await well('release %all');
    await offered(url, 4);
    assert.match((await saying('get 3 owners=different')) ?? '', /as many different owners, got 2 owners: 1 short/);
    assert.match((await saying('get 3 lan owners!=different')) ?? '', /of one owner, got 2.*: 1 short/);
  });

  it('get chooses by how far nodes themselves measure a host to be', async () => {
    await using server = createServer((socket) => socket.on('error', () => undefined).destroy());
    server.listen(0, '127.0.0.2');
    await once(server, 'listening');
    const host = `127.0.0.2:${(server.address() as AddressInfo).port}`;
    assert.equal((await well(`get 2 latency=2000ms@${host}`)).vessels.length, 2, 'one machine may connect there');
    const tooFar = await shell.execute(`get 1 latency!=10000ms@${host} label=gpu`);
    assert.equal(tooFar.error?.code, 'UNABLE_TO_ACQUIRE');
  });

  it('what is held has the size that the policy says: each machine was split by it', async () => {
    await well('get 4');
    const { vessels } = await well('show resources');
    const ports = vessels.map(({ messports }) => (messports as number[]).length);
    assert.deepEqual(ports, [5, 5, 5, 5]);
  });

  it('show account tells credits, the port, and what is held until when', async () => {
    const [vessel] = (await well('get 1')).vessels;
    const account = await shell.execute('show account');
    assert.equal(account.username, 'alice');
    assert.deepEqual(account.credits, { total: 10, used: 1 });
    assert.equal(account.userPort, 63_100);
    const { node: _, ...lease } = vessel ?? {};
    assert.deepEqual(account.vessels, [lease]);
  });

  it('show account says that an administrator has stopped everything, since when and why', async () => {
    await asOperator({ state }, async ({ emergency }) => await emergency.stop('operator', 'a drill'));
    try {
      const account = await shell.execute('show account');
      assert.match(shown(account as never), /^Everything is stopped by an administrator since \d{4}-.*Z: a drill\n/);
      assert.match((await shell.execute('get 1')).error?.message ?? '', /everything is stopped since .*: a drill/);
    } finally {
      await asOperator({ state }, async ({ emergency }) => await emergency.lift('operator'));
    }
    assert.doesNotMatch(shown((await shell.execute('show account')) as never), /stopped/);
  });

  it('list and show account say until when vessels are held, and warn of what ends soon', async () => {
    const [first] = (await well('get 2')).vessels;
    await well(`renew ${first?.id}`);
    const listed = await well('on %all list');
    const account = await well('show account');
    const leases = (result: Bulk) => result.vessels.map(({ name, expiresAt, warnAt }) => ({ name, expiresAt, warnAt }));
    const byName = (a: { name: unknown }, b: { name: unknown }): number => String(a.name).localeCompare(String(b.name));
    assert.deepEqual(leases(listed).sort(byName), leases(account).sort(byName));
    for (const text of [shown(listed), shown(account)]) {
      assert.match(text, /Expires in/);
      assert.match(text, /\n1 vessel ends soon, in 1h 59m: say "renew %all"\.$/);
    }
    assert.match(shown(account), /lease 2h 0m at first, 2d 0h when renewed; each donated machine adds 10 vessels/);
    await well('renew %all');
    assert.doesNotMatch(shown(await well('on %all list')), /soon/);
  });

  it('list says nothing of leases without the module, and to whom the clearinghouse does not know', async () => {
    await well('get 1');
    await well('disable clearinghouse');
    assert.doesNotMatch(shown(await well('on %all list')), /Expires in/);
    await well('enable clearinghouse');
    await well('genkeys passerby');
    assert.equal((await shell.execute('as passerby on %all list')).error, undefined);
  });

  it('renew holds vessels for longer, and names those that the account does not hold', async () => {
    const [first, second] = (await well('get 2')).vessels;
    const renewed = await well(`renew ${first?.id}`);
    assert.ok(String(renewed.vessels[0]?.expiresAt) > String(second?.expiresAt));
    assert.equal((await well('renew')).vessels.length, 2, 'the default target');
    await releaseElsewhere(shell, String(second?.handle));
    const partly = await shell.execute('renew acquired');
    assert.equal(partly.ok, false);
    assert.deepEqual(partly.failed, [
      {
        code: 'NO_VESSELS',
        message: 'expected a vessel that the account holds, got one that it does not hold',
        affected: [second?.name],
      },
    ]);
    assert.equal(shell.session.targets.resolve('renewgood').length, 1);
    assert.equal(shell.session.targets.resolve('renewfail').length, 1);
  });

  it('release gives vessels back and forgets them; %all also what this shell has not met', async () => {
    const [first] = (await well('get 3')).vessels;
    await well(`release ${first?.id}`);
    assert.equal(shell.session.targets.resolve('acquired').length, 2);
    assert.equal(await failing(`release ${first?.id}`), 'UNKNOWN_TARGET');
    await using other = new Shell({ directory: world.directory, clearinghouse: url });
    await other.execute('loadkeys alice');
    assert.equal((await other.execute('release')).error?.code, 'NO_TARGET');
    const all = await other.execute('release %all');
    assert.deepEqual(
      (all.vessels as { id: string }[]).map(({ id }) => id),
      ['', ''],
    );
    assert.deepEqual((await shell.execute('show account')).credits, { total: 10, used: 0 });
  });

  it('is nobody there with a key that no account has', async () => {
    await well('genkeys stranger');
    assert.equal(await failing('as stranger get 1'), 'NOT_AUTHENTICATED');
    await using alone = new Shell({ directory: world.directory });
    await alone.execute('loadkeys alice');
    assert.equal((await alone.execute('get 1')).error?.code, 'NO_CLEARINGHOUSE');
  });
});

/** As people see it, without colours. */
function shown(result: Bulk): string {
  const as = (text: string): string => text;
  const style = { strong: as, faint: as, good: as, warning: as, bad: as, tint: (_: number, text: string) => text };
  return COMMANDS.find(({ name }) => name === result.command)?.render({ ...result }, style) ?? '';
}

/** As another shell of the same user does it, of which the first one hears nothing. */
async function releaseElsewhere({ session }: Shell, handle: string): Promise<void> {
  const { directory, clearinghouse } = session;
  await using other = new Shell({ directory, clearinghouse: clearinghouse?.href });
  await other.execute('loadkeys alice');
  await other.execute('browse');
  const target = other.session.targets.all.find(({ node, vessel }) => `${node}:${vessel}` === handle);
  const result = await other.execute(`release ${target?.id}`);
  assert.equal(result.ok, true, JSON.stringify(result));
}
