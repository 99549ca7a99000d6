import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { FileName, NodeClient, VesselInfo, VesselName, VesselState } from '@potluck/protocol';
import { birthOf } from '../src/processes.ts';
import { RESTRICTIONS, rejectsWith, TestNode } from './support.ts';

const v1 = 'v1' as VesselName;
const v2 = 'v2' as VesselName;
const FOREVER = "log('runs'); settimer(100000, () => {});";

describe('a program in a vessel', () => {
  let node: TestNode;
  let client: NodeClient;
  before(async () => {
    const restrictions = `${RESTRICTIONS}\nresource filesopened 1\nresource filewrite 100000\nresource fileread 100000`;
    node = await TestNode.start({ vessels: 2, restrictions, limits: { poolSize: 1 } });
    client = await node.client(node.user);
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    for (const vessel of [v1, v2]) await client.call('ResetVessel', { vessel });
  });

  const info = async (vessel = v1): Promise<VesselInfo> => {
    const found = (await client.call('GetVessels', {})).result.vessels.find(({ name }) => name === vessel);
    assert.ok(found);
    return found;
  };
  const upload = async (source: string | Buffer, vessel = v1, name = 'program.js'): Promise<void> => {
    const attachment = Buffer.from(source);
    await client.call('AddFileToVessel', { vessel, name: name as FileName }, { attachment });
  };
  const start = async (vessel = v1, args: string[] = []): Promise<VesselState> =>
    (await client.call('StartVessel', { vessel, program: 'program.js' as FileName, args })).result.state;
  const run = async (source: string | Buffer, args: string[] = []): Promise<VesselState> => {
    await upload(source);
    return await start(v1, args);
  };
  const ended = async (vessel = v1): Promise<VesselInfo> => {
    for (;;) {
      const now = await info(vessel);
      if (now.state !== 'Started') return now;
      await delay(10); // Only a request can tell; this is how a shell waits.
    }
  };
  const log = async (): Promise<{ text: string; droppedBytes: number }> => {
    const { result, attachment } = await client.call('ReadVesselLog', { vessel: v1 });
    return { text: Buffer.from(attachment).toString(), droppedBytes: result.droppedBytes };
  };

  it('runs with its arguments and the address of the node, and its end is told', async () => {
    const before = Date.now();
    const args = ['one', '--two', 'drei ü'];
    assert.equal(await run("log(getmyip(), callargs.join('|'));", args), 'Started');
    const { state, ending, program, since } = await ended();
    assert.equal(state, 'Terminated');
    assert.equal(ending?.kind, 'finished');
    assert.equal(ending?.exitCode, 0);
    assert.equal(program, 'program.js');
    assert.ok(since >= before && since <= Date.now());
    assert.match((await log()).text, /127\.0\.0\.1 one\|--two\|drei ü/);
  });

  it('is told apart by how it ended', async () => {
    const cases: [string, string][] = [
      ['exitall();', 'exitall'],
      ["settimer(0.01, () => { throw new Error('on purpose'); });", 'error'],
    ];
    for (const [source, kind] of cases) {
      await run(source);
      const { state, ending } = await ended();
      assert.deepEqual([state, ending?.kind], ['Terminated', kind]);
    }
  });

  it('that cannot be compiled is not started: START_FAILED says why, and so does the vessel', async () => {
    await upload('log(1;');
    await assert.rejects(start(), (error: Error & { code?: string; details?: { ending?: { kind?: string } } }) => {
      assert.equal(error.code, 'START_FAILED');
      assert.equal(error.details?.ending?.kind, 'refused');
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
    const { state, ending } = await info();
    assert.deepEqual([state, ending?.kind], ['Terminated', 'refused']);
  });

  it('that is not UTF-8, or not there, is not started, and the vessel stays as it was', async () => {
    await upload(Buffer.from([0x6c, 0xff, 0xfe]));
    await rejectsWith(start(), 'START_FAILED');
    const params = { vessel: v1, program: 'nothing.js' as FileName, args: [] };
    await rejectsWith(client.call('StartVessel', params), 'NO_SUCH_FILE');
    assert.equal((await info()).state, 'Fresh');
  });

  it('is stopped by a user, and cannot be started twice or stopped twice', async () => {
    await run(FOREVER);
    await rejectsWith(start(), 'BAD_STATE');
    assert.deepEqual((await client.call('StopVessel', { vessel: v1 })).result, { state: 'Stopped' });
    assert.equal((await info()).ending?.kind, 'stopped');
    await rejectsWith(client.call('StopVessel', { vessel: v1 }), 'BAD_STATE');
    assert.equal(await start(), 'Started');
  });

  const LAST_WORDS = `settimer(100000, () => {}); log('runs ');
    onstop(async (reason) => {
      const file = await openfile('last', true);
      await file.writeat(reason, 0);
      await file.close();
      log(reason);
    });`;
  /** By the file itself: a request for the log waits while the vessel is being stopped. */
  const until = async (text: string): Promise<void> => {
    const { logNew } = node.paths.vessel(v1);
    while (!(await readFile(logNew, 'utf8').catch(() => '')).includes(text)) await delay(10);
  };
  const fileNames = async (): Promise<string[]> =>
    (await client.call('ListFilesInVessel', { vessel: v1 })).result.files.map(({ name }) => String(name));

  it('that wants to be told is told when a user stops it, and its last words are kept: Stopped', async () => {
    await run(LAST_WORDS);
    await until('runs');
    assert.deepEqual((await client.call('StopVessel', { vessel: v1 })).result, { state: 'Stopped' });
    const { ending } = await info();
    assert.deepEqual([ending?.kind, ending?.message, ending?.exitCode], ['stopped', 'a user stopped it', 143]);
    assert.equal((await log()).text, 'runs stopped');
    assert.deepEqual(await fileNames(), ['last', 'program.js']);
  });

  it('is told when the node stops, and what it wrote then is there after the restart: Stale', async () => {
    await run(LAST_WORDS);
    await until('runs');
    await node.restart();
    client = await node.client(node.user);
    assert.deepEqual([(await info()).state, (await info()).ending?.kind], ['Stale', 'restart']);
    assert.equal((await log()).text, 'runs node stops');
    assert.deepEqual(await fileNames(), ['last', 'program.js']);
  });

  const STUBBORN =
    "onstop((reason) => { log(reason); return new Promise(() => {}); }); settimer(1e6, () => {}); log('runs ');";

  it('that does not end when it is told is ended at once by a second stop, by a reset, and by its limits', async () => {
    await run(STUBBORN);
    await until('runs');
    const first = client.call('StopVessel', { vessel: v1 });
    await until('stopped');
    const second = client.call('StopVessel', { vessel: v1 });
    assert.deepEqual((await second).result, { state: 'Stopped' });
    assert.deepEqual((await first).result, { state: 'Stopped' });
    await start();
    await client.call('ResetVessel', { vessel: v1 });
    assert.deepEqual([(await info()).state, (await log()).text], ['Fresh', '']);
    await run(`${STUBBORN} const all = []; for (;;) all.push(new Array(1e5).fill(1));`);
    const { state, ending } = await ended();
    assert.deepEqual([state, ending?.kind, ending?.limit?.resource], ['Terminated', 'limit', 'memory']);
    assert.doesNotMatch((await log()).text, /stopped/);
  });

  it('that does not end when the node stops keeps it no longer than is stated, and not at all when it is asked twice', async () => {
    for (const times of [1, 2]) {
      await run(STUBBORN);
      await until('runs');
      const { manager } = node;
      const stopped = manager.stop();
      if (times === 2) await manager.stop();
      await stopped;
      await node.restart();
      client = await node.client(node.user);
      assert.deepEqual([(await info()).state, (await info()).ending?.kind], ['Stale', 'restart']);
    }
  });

  it('is started once when two ask for it at the same time', async () => {
    await upload(FOREVER);
    const outcomes = await Promise.allSettled([start(), start(), start()]);
    const codes = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code));
    assert.deepEqual(codes.sort(), ['BAD_STATE', 'BAD_STATE', 'Started']);
  });

  it('leaves its log to the next one, and a reset leaves nothing', async () => {
    await run("log('first');");
    await ended();
    await run("log('second');");
    await ended();
    assert.match((await log()).text, /first\s*second/);
    assert.deepEqual((await client.call('ResetVessel', { vessel: v1 })).result, { state: 'Fresh' });
    assert.deepEqual(await log(), { text: '', droppedBytes: 0 });
    const { state, ending, program } = await info();
    assert.deepEqual({ state, ending, program }, { state: 'Fresh', ending: undefined, program: undefined });
  });

  it('is ended by a reset, and its process is gone', async () => {
    await run(FOREVER);
    const children = childrenOf(process.pid);
    await client.call('ResetVessel', { vessel: v1 });
    assert.equal((await info()).state, 'Fresh');
    assert.ok((await children).some((pid) => birthOf(pid) === undefined));
  });

  it('keeps the end of a log that is longer than its ring, and the count of what is gone', async () => {
    await run("for (let n = 0; n < 3000; n += 1) log(String(n).padStart(99, '.') + '\\n'); log('the end');");
    await ended();
    const { text, droppedBytes } = await log();
    assert.ok(text.endsWith('the end') || text.endsWith('the end\n'), text.slice(-200));
    assert.ok(text.length > 64 * 1024 && text.length <= 128 * 1024, `${text.length}`);
    assert.ok(droppedBytes >= 3000 * 100 - 128 * 1024, `${droppedBytes}`);
  });

  it('has its use of resources told while it runs, and only its files after that', async () => {
    await run(FOREVER);
    const { usage } = (await client.call('GetVesselResources', { vessel: v1 })).result;
    assert.equal(usage.diskused, FOREVER.length + 4096);
    await client.call('StopVessel', { vessel: v1 });
    const after = (await client.call('GetVesselResources', { vessel: v1 })).result.usage;
    assert.deepEqual(after, { diskused: FOREVER.length + 4096 });
  });

  it('cannot put control characters or a long text into the ending that others read', async () => {
    await run("settimer(0.01, () => { throw new Error('\\u001b[2J\\n' + 'x'.repeat(5000)); });");
    const { ending } = await ended();
    assert.doesNotMatch(ending?.message ?? '', /\p{Cc}/u);
    assert.ok((ending?.message.length ?? 0) <= 500);
  });

  it('does not keep the other vessels of the node waiting', async () => {
    await upload('for (;;);');
    await start();
    await upload("log('quick');", v2);
    await start(v2);
    assert.equal((await ended(v2)).ending?.kind, 'finished');
    assert.equal((await info()).state, 'Started');
    await client.call('StopVessel', { vessel: v1 });
  });

  it('is ended when the node manager stops: Stale, with a reason that is true', async () => {
    await run(FOREVER);
    await node.restart();
    client = await node.client(node.user);
    const { state, ending, program } = await info();
    assert.deepEqual([state, ending?.kind, program], ['Stale', 'restart', 'program.js']);
    assert.equal(ending?.message, 'the node manager was stopped while it ran');
    assert.match((await log()).text, /runs/);
    assert.equal(await start(), 'Started');
  });

  it('is not started by a node manager that stops meanwhile, and nothing of it is left', async () => {
    await upload(FOREVER);
    const starting = start().catch((error: Error & { code: string }) => error.code);
    await node.restart();
    await starting;
    client = await node.client(node.user);
    assert.notEqual((await info()).state, 'Started');
  });
});

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}
