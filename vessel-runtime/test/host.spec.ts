import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Ending } from '@potluck/protocol';
import type { RuntimeFiles } from '../src/build.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { detectWalls } from '../src/host/walls.ts';
import { collectLog, goneFromProc, realRuntime, removeRuntime, startInit, temporaryDirectory } from './helper.ts';

const STOPPED: Ending = { kind: 'stopped', message: 'a user said so', exitCode: 143 };
const VESSEL_PROCESS = new URL('../src/host/vessel-process.ts', import.meta.url).href;

describe('vessel process', () => {
  let files: RuntimeFiles;
  before(async () => {
    files = await realRuntime();
  });
  after(removeRuntime);

  it('becomes ready, runs its one program, tells its log and its end', async () => {
    await using vessel = VesselProcess.spawn(files);
    await vessel.ready;
    const log = collectLog(vessel);
    vessel.start(startInit("log('hello', 1, '\\n');"));
    await vessel.started;
    assert.deepEqual(await vessel.ended, { ...(await vessel.ended), kind: 'finished', exitCode: 0 });
    assert.equal(log.text(), 'hello 1 \n');
    assert.throws(() => vessel.start(startInit('')), { code: 'ALREADY_STARTED' });
  });

  it('may be given its program before it is ready', async () => {
    await using vessel = VesselProcess.spawn(files);
    vessel.start(startInit('exitall();'));
    await vessel.started;
    assert.equal((await vessel.ended).kind, 'exitall');
  });

  it('tells an error and a refused program by their kinds, never with exit code 0', async () => {
    for (const [source, kind] of [
      ["throw new Error('oh no');", 'error'],
      ['this is no program', 'refused'],
    ] as const) {
      await using vessel = VesselProcess.spawn(files);
      vessel.start(startInit(source));
      const ending = await vessel.ended;
      assert.equal(ending.kind, kind, ending.message);
      assert.notEqual(ending.exitCode, 0);
    }
  });

  it('is ended by kill with the first reason given, in an endless loop too', async () => {
    await using vessel = VesselProcess.spawn(files);
    const log = collectLog(vessel);
    vessel.start(startInit("log('in'); for (;;);"));
    await log.until('in');
    vessel.kill(STOPPED);
    vessel.kill({ ...STOPPED, message: 'another reason' });
    assert.deepEqual(await vessel.ended, STOPPED);
    assert.equal(await goneFromProc(vessel.pid), true);
  });

  it('is ended by kill when it is stopped by a signal', async () => {
    await using vessel = VesselProcess.spawn(files);
    await vessel.ready;
    vessel.signal('SIGSTOP');
    vessel.kill(STOPPED);
    assert.deepEqual(await vessel.ended, STOPPED);
  });

  it('rejects ready and started when it ends before', async () => {
    await using vessel = VesselProcess.spawn(files);
    vessel.kill(STOPPED);
    await assert.rejects(vessel.ready, { code: 'NOT_READY' });
    await assert.rejects(vessel.started, { code: 'ENDED_EARLY' });
  });

  it('tells an end that nobody here asked for as a crash with its signal', async () => {
    await using vessel = VesselProcess.spawn(files);
    const log = collectLog(vessel);
    vessel.start(startInit("log('in'); settimer(1000, () => {});"));
    await log.until('in');
    process.kill(vessel.pid, 'SIGKILL');
    const ending = await vessel.ended;
    assert.equal(ending.kind, 'crashed');
    assert.match(ending.message, /SIGKILL/);
    assert.equal(ending.exitCode, 137);
  });

  it('has no environment, no privileges to gain, bounded descriptors, no core file, and goes first when memory ends', async () => {
    await using vessel = VesselProcess.spawn(files);
    await vessel.ready;
    const about = (file: string) => readFile(`/proc/${vessel.pid}/${file}`, 'latin1');
    // Bubblewrap says where it put it, which is the empty root.
    assert.ok(['', 'PWD=/\0'].includes(await about('environ')));
    assert.equal((await about('oom_score_adj')).trim(), '1000');
    assert.match(await about('status'), /^NoNewPrivs:\s*1$/m);
    const limits = await about('limits');
    assert.match(limits, /^Max open files\s+256\s+256\s/m);
    assert.match(limits, /^Max core file size\s+0\s+0\s/m);
    assert.match(limits, /^Max file size\s+0\s+0\s/m);
  });

  it('says which walls stand here and how to get the others', async () => {
    const { up, missing } = await detectWalls();
    for (const name of ['isolate', 'permission model', 'no_new_privs', 'rlimits', 'parent-death', 'governor']) {
      assert.ok(up.includes(name), name);
    }
    for (const name of ['bubblewrap', 'seccomp', 'own user']) {
      assert.ok(up.includes(name) || missing.some((text) => text.startsWith(`${name}: `)), name);
    }
    assert.ok([...up, ...missing].some((wall) => /^cgroup(: .*Delegate=yes)?$/.test(wall)));
  });

  it('does not outlive a killed parent, neither looping nor stopped', async () => {
    await using directory = await temporaryDirectory();
    const script = join(directory.path, 'parent.ts');
    const init = `{ ...${JSON.stringify({ program: { name: 'loop.js', source: "log('in'); for (;;);" }, args: [], address: '127.0.0.1' })},
      restrictions: { quantities: ${JSON.stringify(startInit('').restrictions.quantities)}, messport: new Set(), connport: new Set(), destinations: [] } }`;
    await writeFile(
      script,
      `import { VesselProcess } from ${JSON.stringify(VESSEL_PROCESS)};
const files = ${JSON.stringify(files)};
const looping = VesselProcess.spawn(files);
const stopped = VesselProcess.spawn(files);
await stopped.ready;
stopped.signal('SIGSTOP');
looping.onLog = () => console.log(looping.pid + ' ' + stopped.pid);
looping.start(${init});
`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = String(chunk).trim().split(' ').map(Number);
    assert.equal(pids.length, 2);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const outcomes = await Promise.all(pids.map(goneFromProc));
    for (const [index, pid] of pids.entries()) {
      // A test that fails leaves nothing behind either.
      if (!outcomes[index]) process.kill(pid, 'SIGKILL');
    }
    assert.deepEqual(outcomes, [true, true]);
  });

  it('leaves no listener and no handle of its own after many lives', async () => {
    const before = process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const resources = () => process.getActiveResourcesInfo().filter((name) => /Process|Pipe/.test(name)).length;
    const handles = resources();
    for (let round = 0; round < 5; round++) {
      const vessels = [1, 2, 3].map(() => VesselProcess.spawn(files));
      for (const vessel of vessels) vessel.kill(STOPPED);
      await Promise.all(vessels.map((vessel) => vessel.ended));
    }
    assert.deepEqual(
      process.eventNames().map((name) => [name, process.listenerCount(name)]),
      before,
    );
    // The handles are closed by now; the system's loop has yet to come round.
    while (resources() > handles) await turn();
  });
});
