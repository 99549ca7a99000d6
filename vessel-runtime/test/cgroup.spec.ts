import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { RuntimeFiles } from '../src/build.ts';
import { Cgroups } from '../src/host/cgroup.ts';
import { Governor } from '../src/host/governor.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { collectLog, realRuntime, removeRuntime, startInit } from './helper.ts';

const MEMORY = 60_000_000;

/** The directory of a process's group. */
async function groupOf(pid: number): Promise<string> {
  const path = /^0::(.*)$/m.exec(await readFile(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '';
  const mount = (await readFile('/proc/self/mounts', 'utf8')).split('\n').find((line) => / cgroup2 /.test(line));
  return join(mount?.split(' ')[1] ?? '', path);
}

/** Where cgroup v2 gives this process a group of its own; elsewhere these are pending, and the governor holds alone. */
describe('a group of cgroup v2', () => {
  let files: RuntimeFiles;
  let governor: Governor;
  before(async function () {
    if (Cgroups.find() === undefined) this.skip();
    files = await realRuntime();
  });
  after(removeRuntime);
  beforeEach(async () => {
    governor = new Governor();
    await governor.start();
  });
  afterEach(async () => await governor.stop());

  const start = async (vessel: VesselProcess, source: string, cpu: number) => {
    await vessel.ready;
    await governor.watch(vessel, { cpu, memoryBytes: MEMORY });
    const log = collectLog(vessel);
    vessel.start(startInit(source));
    await vessel.started;
    return log;
  };

  it('holds a busy loop to its share without one signal, and tells it of its stops', async () => {
    await using vessel = VesselProcess.spawn(files);
    const signals: string[] = [];
    const signal = vessel.signal.bind(vessel);
    vessel.signal = (name) => {
      signals.push(name);
      return signal(name);
    };
    const source = `const end = getruntime() + 6;
      const work = () => { for (let i = 0; i < 1e5; i++); if (getruntime() < end) setTimeout(work, 0); else log(getresources().stoptimes.length > 0); };
      work();`;
    const log = await start(vessel, source, 0.1);
    const group = await groupOf(vessel.pid);
    assert.equal((await readFile(join(group, 'cpu.max'), 'utf8')).trim(), '5000 50000');
    const usedUs = async () => Number(/^usage_usec (\d+)/m.exec(await readFile(join(group, 'cpu.stat'), 'utf8'))?.[1]);
    const [before, from] = [await usedUs(), performance.now()];
    await wait(3000);
    const share = ((await usedUs()) - before) / 1000 / (performance.now() - from);
    assert.ok(share > 0.02 && share <= 0.11, `expected at most 10 % of a core, got ${(share * 100).toFixed(1)} %`);
    assert.equal((await vessel.ended).kind, 'finished');
    assert.equal(log.text(), 'true');
    assert.deepEqual(signals, []);
  });

  it('bounds memory and threads, and is gone with its process', async () => {
    await using vessel = VesselProcess.spawn(files);
    await start(vessel, "log('in'); settimer(1e6, () => {});", 0.5);
    const group = await groupOf(vessel.pid);
    const said = async (file: string) => (await readFile(join(group, file), 'utf8')).trim();
    assert.ok(Number(await said('memory.max')) <= MEMORY * 1.1 && Number(await said('memory.max')) > MEMORY * 1.05);
    assert.equal(await said('pids.max'), '32');
    assert.deepEqual((await said('cgroup.procs')).split('\n'), [`${vessel.pid}`]);
    vessel.kill({ kind: 'stopped', message: 'enough', exitCode: 143 });
    await vessel.ended;
    await wait(0);
    assert.ok(!(await readdir(dirname(group))).includes(group));
    await assert.rejects(readFile(join(group, 'cpu.max')), { code: 'ENOENT' });
  });

  it('that the kernel kills for its memory is told as that', async () => {
    await using vessel = VesselProcess.spawn(files);
    await start(vessel, 'settimer(1e6, () => {});', 1);
    const group = Cgroups.find()?.tryHold(vessel.pid, { cpu: 1, memoryBytes: 4096 });
    assert.ok(group);
    const other = VesselProcess.spawn(files);
    await start(other, 'const all = []; for (;;) all.push(new Array(1000).fill(1.5));', 1);
    const ending = await other.ended;
    assert.deepEqual([ending.kind, ending.limit?.resource], ['limit', 'memory'], ending.message);
    group.remove();
    assert.equal((await vessel.ended).kind, 'crashed');
  });

  it('lets a process go on when nobody governs it any more', async () => {
    await using vessel = VesselProcess.spawn(files);
    await start(vessel, 'for (;;);', 0.1);
    const group = await groupOf(vessel.pid);
    await governor.stop();
    assert.match(await readFile(join(group, 'cpu.max'), 'utf8'), /^max /);
    assert.equal((await readFile(join(group, 'memory.max'), 'utf8')).trim(), 'max');
  });
});
