import assert from 'node:assert/strict';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileName, NodeClient, VesselInfo, VesselName } from '@potluck/protocol';
import { RESTRICTIONS, rejectsWith, TestNode } from './support.ts';

const v1 = 'v1' as VesselName;
const QUOTA = 100_000;
const LINES = `${RESTRICTIONS.replace(/diskused \d+/, `diskused ${QUOTA}`)}
resource filesopened 5
resource fileread 10000000
resource filewrite 10000000`;

describe('the files of a program that runs in a vessel', () => {
  let node: TestNode;
  let client: NodeClient;
  before(async () => {
    node = await TestNode.start({ restrictions: LINES, limits: { poolSize: 1 } });
    client = await node.client(node.user);
  });
  after(() => node[Symbol.asyncDispose]());
  afterEach(async () => {
    await client.call('ResetVessel', { vessel: v1 });
  });

  const info = async (): Promise<VesselInfo> => {
    const [found] = (await client.call('GetVessels', {})).result.vessels;
    assert.ok(found);
    return found;
  };
  const add = (name: string, bytes: string | Buffer) =>
    client.call('AddFileToVessel', { vessel: v1, name: name as FileName }, { attachment: Buffer.from(bytes) });
  const retrieve = async (name: string) =>
    Buffer.from((await client.call('RetrieveFileFromVessel', { vessel: v1, name: name as FileName })).attachment);
  const list = async () =>
    (await client.call('ListFilesInVessel', { vessel: v1 })).result.files.map(({ name }) => String(name));
  const used = async () => (await client.call('GetVesselResources', { vessel: v1 })).result.usage.diskused;
  const logText = async () => Buffer.from((await client.call('ReadVesselLog', { vessel: v1 })).attachment).toString();
  const run = async (source: string): Promise<void> => {
    await add('program.js', source);
    await client.call('StartVessel', { vessel: v1, program: 'program.js' as FileName, args: [] });
  };
  /** Only a request can tell. */
  const until = async (look: () => Promise<boolean>): Promise<void> => {
    while (!(await look())) await delay(10);
  };
  const ended = async (): Promise<VesselInfo> => {
    await until(async () => (await info()).state !== 'Started');
    return await info();
  };
  /** What the system says that the files take. */
  const measured = async (): Promise<number> => {
    const { files } = node.paths.vessel(v1);
    const stats = await Promise.all((await readdir(files)).map((name) => lstat(join(files, name))));
    return stats.reduce((sum, { size }) => sum + size + 4096, 0);
  };

  it('are read, written and listed by both, the users and the program', async () => {
    await add('in.txt', 'from a user');
    await run(`const input = await openfile('in.txt', false); const output = await open('out.txt', 'w');
      await output.write((await input.readat(null, 0)).toUpperCase()); log(await listfiles(), getresources().usage.diskused);`);
    await ended();
    assert.equal((await retrieve('out.txt')).toString(), 'FROM A USER');
    assert.deepEqual(await list(), ['in.txt', 'out.txt', 'program.js']);
    assert.equal(await logText(), `["in.txt", "out.txt", "program.js"] ${await measured()}`);
    assert.equal(await used(), await measured());
  });

  it('count against one limit: an upload that does not fit beside them is refused, while the program runs on', async () => {
    await run(
      `const file = await openfile('data', true); await file.writeat('x'.repeat(60000), 0); log('written'); await sleep(100000);`,
    );
    await until(async () => (await logText()) === 'written');
    const room = QUOTA - (await measured()) - 4096;
    await rejectsWith(add('more', Buffer.alloc(room + 1)), 'QUOTA_EXCEEDED');
    await add('more', Buffer.alloc(room));
    assert.equal(await used(), QUOTA);
    assert.equal(await measured(), QUOTA);
    assert.equal((await info()).state, 'Started');
  });

  it('end a program that would pass the limit, with the figures, and keep all that was there', async () => {
    await add('precious', 'kept');
    await run(`const file = await openfile('data', true);
      for (let at = 0; ; at += 1000) { await file.writeat('x'.repeat(1000), at); mycontext.at = at; }`);
    const { state, ending } = await ended();
    assert.deepEqual(
      [state, ending?.kind, ending?.limit?.resource, ending?.limit?.limit],
      ['Terminated', 'limit', 'diskused', QUOTA],
    );
    const there = await measured();
    assert.ok(there <= QUOTA && there > QUOTA - 1000);
    assert.equal(ending?.limit?.used, there + 1000);
    assert.equal((await retrieve('precious')).toString(), 'kept');
    assert.equal((await retrieve('data')).length % 1000, 0);
    // The vessel can be used again at once.
    await run("log((await listfiles()).length); await removefile('data');");
    assert.equal((await ended()).ending?.kind, 'finished');
  });

  it('are the new ones as soon as a user has replaced one that is open, and the program is told of the disk', async () => {
    await add('shared', 'old');
    await run(`const file = await openfile('shared', false); log(await file.readat(null, 0)); const before = getresources().usage.diskused;
      while (getresources().usage.diskused === before) await sleep(0.01);
      await file.writeat('!', 5); log(await file.readat(null, 0));`);
    await until(async () => (await logText()) === 'old');
    await add('shared', 'newer');
    await ended();
    assert.equal(await logText(), 'oldnewer!');
    assert.equal((await retrieve('shared')).toString(), 'newer!');
  });

  it('of one that was stopped or reset while it wrote are those of the next one alone', async () => {
    const source = `const file = await openfile('data', true); log('writes');
      for (let n = 0; ; n++) for (let at = 0; at < 64; at++) file.writeat('old'.repeat(300), 0); await sleep(1000);`;
    for (const end of ['ResetVessel', 'StopVessel'] as const) {
      await run(source.replace('for (let n = 0; ; n++)', 'for (let n = 0; n < 20; n++)'));
      await until(async () => (await logText()).includes('writes'));
      await client.call(end, { vessel: v1 });
      if (end === 'ResetVessel') assert.deepEqual(await list(), []);
      await run(`const file = await open('data', 'w'); await file.write('new'); await sleep(0.2);`);
      await ended();
      assert.equal((await retrieve('data')).toString(), 'new');
      assert.equal(await used(), await measured());
    }
  });

  it('are there with their count after a restart of the node manager', async () => {
    await run(
      `const file = await openfile('data', true); await file.writeat('x'.repeat(50000), 0); log('written'); await sleep(100000);`,
    );
    await until(async () => (await logText()) === 'written');
    await node.restart();
    client = await node.client(node.user);
    assert.equal(await used(), await measured());
    assert.equal((await retrieve('data')).length, 50_000);
    await rejectsWith(add('more', Buffer.alloc(QUOTA - (await measured()) - 4095)), 'QUOTA_EXCEEDED');
  });

  it('are not sent when they have grown beyond what a reply may carry, and are listed with their hash', async () => {
    await using wide = await TestNode.start({ restrictions: LINES.replace(/diskused \d+/, 'diskused 20000000') });
    const user = await wide.client(wide.user);
    const source = `const file = await openfile('big', true); for (let at = 0; at < 9000000; at += 3000000) await file.writeat('x'.repeat(3000000), at);`;
    await user.call('AddFileToVessel', { vessel: v1, name: 'p.js' as FileName }, { attachment: Buffer.from(source) });
    await user.call('StartVessel', { vessel: v1, program: 'p.js' as FileName, args: [] });
    await until(async () => (await user.call('GetVessels', {})).result.vessels[0]?.state !== 'Started');
    await rejectsWith(user.call('RetrieveFileFromVessel', { vessel: v1, name: 'big' as FileName }), 'BAD_ATTACHMENT');
    const { files } = (await user.call('ListFilesInVessel', { vessel: v1 })).result;
    assert.deepEqual(
      files.map(({ name, size }) => `${name} ${size}`),
      ['big 9000000', `p.js ${source.length}`],
    );
  });
});
