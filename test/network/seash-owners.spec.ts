import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeManager } from '@potluck/nodemanager';
import type { KeyId } from '@potluck/protocol';
import { COMMANDS, Shell } from '@potluck/seash';
import { type Bulk, startNode, wordsTo } from './shells.ts';

const RESTRICTIONS = `
resource cpu 0.2
resource memory 50000000
resource diskused 1000000
resource events 10
resource filesopened 5
resource filewrite 10000
resource fileread 10000
resource lograte 100000
resource messport 63100
resource messport 63101
`;
const HALF = 'resource cpu 0.1\nresource memory 20000000\nresource diskused 500000\nresource messport 63101\n';

describe('seash for owners of vessels', function () {
  this.timeout(120_000);
  let directory: string;
  let shell: Shell;
  let bob: KeyId;
  const nodes: NodeManager[] = [];
  const { well } = wordsTo(() => shell);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-owners-'));
    shell = new Shell({ directory });
    const owner = (await shell.execute('genkeys alice')).key as KeyId;
    bob = (await shell.execute('genkeys bob')).key as KeyId;
    for (const index of [0, 1]) {
      const node = await startNode(join(directory, `node${index}`), [{ restrictions: RESTRICTIONS, owner, users: [] }]);
      nodes.push(node);
      await well(`contact 127.0.0.1:${node.address.port}`);
    }
    await writeFile(join(directory, 'half.resources'), HALF);
    await writeFile(join(directory, 'much.resources'), HALF.replace('20000000', '50000000'));
    await writeFile(join(directory, 'broken.resources'), 'resource cpu 1\nresource cpus 1\n');
  });
  afterEach(async () => {
    await shell.stop();
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
    await rm(directory, { recursive: true });
  });

  const idsOf = (expression: string) => shell.session.targets.resolve(expression).map(({ id }) => id);

  it('split leaves the groups split1 and split2, and join puts together what is on the same node', async () => {
    const { vessels } = await well('on %all split half.resources');
    assert.deepEqual(
      vessels.map(({ id }) => id),
      ['%1', '%2'],
    );
    assert.deepEqual(idsOf('%all').length, 4);
    assert.deepEqual([idsOf('split1').length, idsOf('split2').length, idsOf('splitfail')], [2, 2, []]);
    assert.deepEqual(idsOf('%3-%4').length, 2);
    const ports = await well('on split1 show resources');
    assert.deepEqual(
      ports.vessels.map(({ messports }) => messports),
      [[63101], [63101]],
    );
    const joined = await well('on %all join');
    assert.deepEqual(
      joined.vessels.map((vessel) => (vessel.joined as string[]).length),
      [2, 2],
    );
    assert.deepEqual(idsOf('%all'), idsOf('joingood'));
    for (const { limits, messports } of (await well('show resources')).vessels) {
      const { cpu, memory, events } = limits as Record<string, number>;
      assert.deepEqual([cpu, memory, events, messports], [0.2, 50_000_000, 10, [63100, 63101]]);
    }
    assert.equal((await shell.execute('on %1 list')).error?.code, 'UNKNOWN_TARGET');
  });

  it('what cannot be split says why, and a broken resource file its line, before any node hears of it', async () => {
    const result = (await shell.execute('on %all split much.resources')) as Bulk;
    assert.deepEqual(
      result.failed.map(({ code, affected }) => [code, affected.length]),
      [['QUOTA_EXCEEDED', 2]],
    );
    assert.match(result.failed[0]?.message ?? '', /memory 50000000 \(at most 49000000\)/);
    assert.deepEqual(idsOf('splitfail'), ['%1', '%2']);
    const { error } = await shell.execute('on %all split broken.resources');
    assert.deepEqual(error?.code, 'RESTRICTIONS_BROKEN');
    assert.match(error?.message ?? '', /broken\.resources:2: /);
    const alone = (await shell.execute('on %1 join')) as Bulk;
    assert.deepEqual(
      alone.failed.map(({ code }) => code),
      ['BAD_ARGUMENTS'],
    );
  });

  it('a vessel is noted, hidden, lent and given away', async () => {
    await well(`on %1 set ownerinfo lab 3, 'second row'`);
    await well('on %1 set advertise off');
    await well('on %1 set users bob');
    const [first] = (await well('on %1 show ownerinfo')).vessels;
    assert.deepEqual([first?.ownerInformation, first?.advertise, first?.users], ['lab 3, second row', false, [bob]]);
    await well(`on %1 set users ${bob} alice`);
    assert.deepEqual((await well('on %1 show users')).vessels[0]?.users, [bob, shell.session.identity('alice').id]);
    await well('on %1 set users');
    await rm(join(directory, 'bob.private.jwk'));
    await well('on %1 set owner bob');
    assert.deepEqual(
      ((await shell.execute('on %1 show owner')) as Bulk).failed.map(({ code }) => code),
      ['NO_VESSELS'],
    );
    assert.equal((await well('as bob on %1 show owner')).vessels[0]?.owner, bob);
    for (const [line, code] of [
      ['on %1 set advertise maybe', 'BAD_ARGUMENTS'],
      ['on %1 set owner nobody', 'UNKNOWN_IDENTITY'],
      ['on %1 set users alice nobody', 'UNKNOWN_IDENTITY'],
    ] as const) {
      assert.equal((await shell.execute(line)).error?.code, code, line);
    }
  });

  it('the results have the shapes that the table declares', async () => {
    for (const line of [
      'show offcut',
      'show advertise',
      'on %1 set ownerinfo x',
      'on %1 split half.resources',
      'on split1 + split2 join',
    ]) {
      const { command, ok, ...facts } = await shell.execute(line);
      assert.equal(ok, true, line);
      const row = COMMANDS.find(({ name }) => name === command);
      assert.deepEqual(row?.result.strict().parse(facts), JSON.parse(JSON.stringify(facts)), line);
    }
  });
});
