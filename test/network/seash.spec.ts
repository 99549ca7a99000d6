import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeManager } from '@potluck/nodemanager';
import { digest, type KeyId } from '@potluck/protocol';
import { COMMANDS, Shell } from '@potluck/seash';
import { type Bulk, startNode, wordsTo } from './shells.ts';

const RESTRICTIONS = `
resource cpu 0.5
resource memory 50000000
resource diskused 1000000
resource events 10
resource lograte 100000
resource messport 63100
`;

describe('seash against real node managers', function () {
  this.timeout(120_000);
  let directory: string;
  let shell: Shell;
  let alice: KeyId;
  const nodes: NodeManager[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'seash-network-'));
    shell = new Shell({ directory });
    alice = (await shell.execute('genkeys alice')).key as KeyId;
    const bob = (await shell.execute('genkeys bob')).key as KeyId;
    for (const index of [0, 1]) {
      const vessel = { restrictions: RESTRICTIONS };
      nodes.push(
        await startNode(join(directory, `node${index}`), [
          { ...vessel, owner: bob, users: [alice] },
          { ...vessel, owner: alice, users: [] },
          { ...vessel, owner: bob, users: [] },
        ]),
      );
    }
    await writeFile(
      join(directory, 'hello.ts'),
      "const who: string = callargs[0] ?? 'world';\nlog('hello', who, '\\n');\n",
    );
    await writeFile(join(directory, 'forever.js'), "log('up\\n');\nsettimer(1e6, () => undefined);\n");
    await writeFile(join(directory, 'broken.js'), 'let = ;\n');
    await writeFile(join(directory, 'data.bin'), Buffer.from([0, 1, 2, 254, 255]));
  });
  after(async () => {
    await shell.stop();
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(directory, { recursive: true });
  });
  afterEach(async () => await shell.execute('on %all reset'));

  const addressOf = (index: number): string => `127.0.0.1:${nodes[index]?.address.port}`;
  const { well, ended } = wordsTo(() => shell);

  it('contact finds the vessels that the key owns or may use, and says which node it believed', async () => {
    const result = await well(`contact ${addressOf(0)}`);
    assert.equal(result.node, nodes[0]?.id);
    assert.deepEqual(
      result.vessels.map(({ id, name, owned, state }) => [id, name, owned, state]),
      [
        ['%1', `${addressOf(0)}:v1`, false, 'Fresh'],
        ['%2', `${addressOf(0)}:v2`, true, 'Fresh'],
      ],
    );
    const one = await well(`contact ${addressOf(1)}:v1`);
    assert.deepEqual(
      one.vessels.map(({ id }) => id),
      ['%3'],
    );
    const foreign = await shell.execute(`contact ${addressOf(1)}:v3`);
    assert.equal(foreign.error?.code, 'NO_VESSELS');
    const again = await well(`as bob contact ${addressOf(1)}:v1`);
    assert.equal(again.vessels[0]?.id, '%3');
  });

  it('run bundles TypeScript, uploads, starts; list tells how it ended; show log what it said', async () => {
    const result = await well(`on %all run hello.ts 'two words'`);
    assert.equal(result.program, 'hello.js');
    assert.deepEqual(
      result.vessels.map(({ state, uploaded }) => [state, uploaded]),
      Array(3).fill(['Started', true]),
    );
    const { vessels } = await ended('list');
    assert.deepEqual(
      vessels.map(({ state, program, ending }) => [state, program, (ending as { kind: string }).kind]),
      Array(3).fill(['Terminated', 'hello.js', 'finished']),
    );
    const log = await well('show log');
    assert.ok(log.vessels.every(({ text }) => String(text).includes('hello two words')));
    const written = await well('show log to log.txt');
    const names = shell.session.targets.all.map(({ id }) => String(written.vessels.find((one) => one.id === id)?.file));
    assert.ok(
      names.every((name) => /\/log\.txt\.127\.0\.0\.1_\d+_v\d$/.test(name)) && new Set(names).size === 3,
      names.join(),
    );
    for (const name of names) assert.match(await readFile(name, 'utf8'), /hello two words/);
    assert.equal((await well('on %1 show log to log.txt')).vessels[0]?.file, join(directory, 'log.txt'));
    assert.equal((await shell.execute('on %1 show log --follow to log.txt')).error?.code, 'BAD_ARGUMENTS');
  });

  it('conditions ask what nodes say of themselves, and how long they take to answer', async () => {
    const { vessels } = await well('show info');
    assert.ok(vessels.every(({ os, arch }) => os === process.platform && arch === process.arch));
    const all = shell.session.targets.resolve('%all');
    assert.deepEqual(shell.session.targets.resolve(`os=${process.platform} & latency>0 & latency<600000`), all);
    assert.deepEqual(shell.session.targets.resolve('os=plan9'), []);
    assert.deepEqual(
      (await well('show location')).vessels.map(({ ip, country }) => [ip, country]),
      Array(all.length).fill(['127.0.0.1', undefined]),
    );
  });

  it('run uploads only what has changed', async () => {
    await well('on %1 run hello.ts');
    await ended('on %1 list');
    const result = await well('on %all run hello.ts');
    assert.deepEqual(
      result.vessels.map(({ uploaded }) => uploaded),
      [false, true, true],
    );
    await ended('list');
    await well('on %1 start hello.js again');
    await ended('on %1 list');
    assert.match(String((await well('on %1 show log')).vessels[0]?.text), /hello again/);
  });

  it('run takes a folder for the main.ts in it, under the name of the folder', async () => {
    await mkdir(join(directory, 'greeting'));
    await writeFile(join(directory, 'greeting', 'words.ts'), "export const words = 'from a folder';\n");
    await writeFile(join(directory, 'greeting', 'main.ts'), "import { words } from './words.ts';\nlog(words);\n");
    assert.equal((await well('on %1 run greeting/')).program, 'greeting.js');
    await ended('on %1 list');
    assert.match(String((await well('on %1 show log')).vessels[0]?.text), /from a folder/);
  });

  it('stop ends a program, and a vessel whose program runs is not run over', async () => {
    await well('on %1 run forever.js');
    const busy = (await shell.execute('on %all run forever.js')) as Bulk;
    assert.equal(busy.ok, false);
    assert.deepEqual(
      busy.failed.map(({ code, affected }) => [code, affected]),
      [['BAD_STATE', [`${addressOf(0)}:v1`]]],
    );
    const { targets } = shell.session;
    assert.deepEqual(
      ['rungood', 'runfail'].map((group) => targets.resolve(group).map(({ id }) => id)),
      [['%2', '%3'], ['%1']],
    );
    const stopped = await well('on %all stop');
    assert.deepEqual(
      stopped.vessels.map(({ state }) => state),
      Array(3).fill('Stopped'),
    );
    const idle = (await shell.execute('on %all stop')) as Bulk;
    assert.deepEqual([idle.failed[0]?.code, idle.failed[0]?.affected.length], ['BAD_STATE', 3]);
  });

  it('a program with a syntax error is refused before any node hears of it', async () => {
    const { error } = await shell.execute('on %all run broken.js');
    assert.equal(error?.code, 'PROGRAM_BROKEN');
    assert.match(error?.message ?? '', /broken\.js:1:/);
    assert.equal((await shell.execute('on %all run nowhere.js')).error?.code, 'PROGRAM_MISSING');
    assert.equal((await shell.execute('on %all run .')).error?.code, 'FILE_MISSING');
    assert.ok((await well('show files')).vessels.every(({ files }) => (files as []).length === 0));
  });

  it('upload, show files and download keep every byte; reset removes them', async () => {
    await well('on %all upload data.bin there.bin');
    const listed = await well('show files');
    const bytes = await readFile(join(directory, 'data.bin'));
    for (const { files } of listed.vessels) {
      assert.deepEqual(files, [{ name: 'there.bin', size: 5, sha256: digest(bytes) }]);
    }
    await well('on %all download there.bin back');
    await well('on %2 download there.bin');
    const names = (await readdir(directory)).filter((name) => name.startsWith('back.') || name === 'there.bin');
    assert.deepEqual(
      names.sort(),
      shell.session.targets.all
        .map(({ reach, vessel }) => `back.127.0.0.1_${reach.addresses[0]?.port}_${vessel}`)
        .concat('there.bin')
        .sort(),
    );
    for (const name of names) assert.deepEqual(await readFile(join(directory, name)), bytes);
    await well('on %1 reset');
    const missing = (await shell.execute('on %all download there.bin again')) as Bulk;
    assert.deepEqual(
      missing.failed.map(({ code, affected }) => [code, affected]),
      [['NO_SUCH_FILE', [`${addressOf(0)}:v1`]]],
    );
    assert.equal(missing.vessels.length, 2);
    const refused = await shell.execute('on %all upload data.bin ../x');
    assert.equal(refused.error?.code, 'BAD_NAME');
    assert.equal((await shell.execute('on %all upload nowhere')).error?.code, 'FILE_MISSING');
  });

  it('show info and show resources say what the nodes said', async () => {
    const info = await well('on %1 show info');
    assert.equal(info.vessels[0]?.node, nodes[0]?.id);
    const resources = await well('on %1 show resources');
    const { limits, messports } = resources.vessels[0] as { limits: Record<string, number>; messports: number[] };
    assert.deepEqual([limits.cpu, limits.events, messports], [0.5, 10, [63100]]);
  });

  it("another's vessel is refused, by the node", async () => {
    const { id } = shell.session.targets.all[1] ?? assert.fail();
    const result = (await shell.execute(`on ${id} as bob stop`)) as Bulk;
    assert.equal(result.failed[0]?.code, 'NOT_PERMITTED');
  });

  it('the results have the shapes that the table declares', async () => {
    const lines = [
      'on %all upload data.bin',
      'on %all download data.bin x',
      'list',
      'on %all run hello.ts',
      'show targets',
    ];
    const shows = [
      'show log',
      'show log to log.txt',
      'show files',
      'show info',
      'show resources',
      'show groups',
      `contact ${addressOf(0)}`,
    ];
    for (const line of [...lines, ...shows]) {
      const { command, ok, ...facts } = await shell.execute(line);
      assert.equal(ok, true, line);
      const row = COMMANDS.find(({ name }) => name === command);
      assert.deepEqual(row?.result.strict().parse(facts), JSON.parse(JSON.stringify(facts)), line);
    }
  });

  it('a cancelled command fails for the vessels that it had not reached', async () => {
    const result = (await shell.execute('list', { signal: AbortSignal.abort() })) as Bulk;
    assert.deepEqual([result.failed[0]?.code, result.failed[0]?.affected.length], ['CANCELLED', 3]);
    await well('list');
  });

  it('a connection that was lost is opened again', async () => {
    const node = nodes[0] ?? assert.fail();
    const { port } = node.address;
    await node.stop();
    const config = JSON.parse(await readFile(join(directory, 'node0', 'nodemanager.json'), 'utf8'));
    await writeFile(
      join(directory, 'node0', 'nodemanager.json'),
      JSON.stringify({ ...config, listen: { host: '127.0.0.1', port } }),
    );
    await node.start();
    assert.equal((await well('list')).vessels.length, 3);
    await well('on %all run hello.ts');
    await ended('list');
  });

  it('a node that is away harms no other, and one sentence says so for all of its vessels', async () => {
    await nodes[0]?.stop();
    const result = (await shell.execute('on %all run hello.ts')) as Bulk;
    assert.equal(result.ok, false);
    assert.deepEqual(
      result.vessels.map(({ id, state }) => [id, state]),
      [['%3', 'Started']],
    );
    assert.deepEqual(
      result.failed.map(({ code, affected }) => [code, affected.length]),
      [['UNREACHABLE', 2]],
    );
    await ended('on rungood list');
  });
});
