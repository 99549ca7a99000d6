import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { RuntimeFiles } from '../src/build.ts';
import { Governor } from '../src/host/governor.ts';
import { Share } from '../src/host/share.ts';
import { VesselProcess } from '../src/host/vessel-process.ts';
import { detectWalls } from '../src/host/walls.ts';
import { collectLog, freeUdpPort, realRuntime, removeRuntime, startInit } from './helper.ts';

const MEMORY = 60_000_000;

/** CPU of all threads in clock ticks of 10 ms, as the kernel counts it: another source than the governor's. */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** @returns fraction of one core that a process used over a window. */
async function shareOver(pid: number, windowMs: number): Promise<number> {
  const [before, from] = [await cpuMs(pid), performance.now()];
  await wait(windowMs);
  return ((await cpuMs(pid)) - before) / (performance.now() - from);
}

async function runWatched(
  vessel: VesselProcess,
  governor: Governor,
  options: { source: string; cpu: number; more?: string },
) {
  await vessel.ready;
  await governor.watch(vessel, { cpu: options.cpu, memoryBytes: MEMORY });
  const log = collectLog(vessel);
  vessel.start(startInit(options.source, options.more));
  await vessel.started;
  return log;
}

describe('governor', () => {
  let files: RuntimeFiles;
  before(async () => {
    files = await realRuntime();
  });
  after(removeRuntime);

  it('holds a busy loop to its share', async () => {
    await using governor = new Governor();
    await governor.start();
    await using vessel = VesselProcess.spawn(files);
    await runWatched(vessel, governor, { source: 'for (;;);', cpu: 0.1 });
    const used = await shareOver(vessel.pid, 3000);
    assert.ok(used >= 0.05 && used <= 0.15, `expected 5 % to 15 % of a core, got ${(used * 100).toFixed(1)} %`);
  });

  it('holds two shares at once, a small one and a large one, and reports them', async () => {
    await using governor = new Governor();
    await governor.start();
    await using small = VesselProcess.spawn(files);
    await using large = VesselProcess.spawn(files);
    await runWatched(small, governor, { source: 'for (;;);', cpu: 0.02 });
    await runWatched(large, governor, { source: 'for (;;);', cpu: 0.4 });
    const [a, b] = await Promise.all([shareOver(small.pid, 3000), shareOver(large.pid, 3000)]);
    assert.ok(a >= 0.005 && a <= 0.05, `expected about 2 % of a core, got ${(a * 100).toFixed(1)} %`);
    assert.ok(b >= 0.1 && b <= 0.5, `expected about 40 % of a core, got ${(b * 100).toFixed(1)} %`);
    assert.ok((small.usage().cpu ?? 1) < (large.usage().cpu ?? 0));
  });

  it('never stops a vessel that keeps within its share, nor its neighbour beside a busy one', async () => {
    const port = await freeUdpPort();
    await using governor = new Governor();
    await governor.start();
    await using busy = VesselProcess.spawn(files);
    await runWatched(busy, governor, { source: 'for (;;);', cpu: 0.1 });
    await using echo = VesselProcess.spawn(files);
    const signals: string[] = [];
    const signal = echo.signal.bind(echo);
    echo.signal = (name) => {
      signals.push(name);
      return signal(name);
    };
    const source = `recvmess(getmyip(), ${port}, (ip, from, mess) => sendmess(ip, from, mess, getmyip(), ${port})); log('up');`;
    const more = `resource messport ${port}\ndestination allow 127.0.0.1\n`;
    const log = await runWatched(echo, governor, { source, cpu: 0.5, more });
    await log.until('up');
    const client = createSocket('udp4');
    try {
      for (let round = 0; round < 50; round++) {
        client.send(`m${round}`, port, '127.0.0.1');
        const [answer] = (await once(client, 'message')) as [Buffer];
        assert.equal(String(answer), `m${round}`);
        await wait(2);
      }
    } finally {
      client.close();
    }
    assert.deepEqual(signals, []);
  });

  it('ends a heap bomb with the memory limit as its reason, and its neighbour goes on', async () => {
    await using governor = new Governor();
    await governor.start();
    await using neighbour = VesselProcess.spawn(files);
    const heard = await runWatched(neighbour, governor, {
      source: "const beat = () => { log('beat'); settimer(0.02, beat); }; beat();",
      cpu: 0.5,
    });
    await using bomb = VesselProcess.spawn(files);
    await runWatched(bomb, governor, {
      source: 'const all = []; for (;;) all.push(new Array(1000).fill(1.5));',
      cpu: 1,
    });
    const ending = await bomb.ended;
    assert.equal(ending.kind, 'limit', ending.message);
    assert.equal(ending.limit?.resource, 'memory');
    const before = heard.text().length;
    await heard.until('beat'.repeat(before / 4 + 3));
  });

  it('leaves the bound of a vessel process that was prepared as it is, and makes it less for less memory', async function () {
    if (!(await detectWalls()).up.includes('memory limit')) this.skip();
    await using governor = new Governor();
    await governor.start();
    for (const memoryBytes of [MEMORY, MEMORY / 2]) {
      await using vessel = VesselProcess.spawn(files, { waits: true });
      await vessel.ready;
      assert.equal(await Governor.prepare(vessel, MEMORY), true);
      const prepared = Number(vessel.dataLimit.bytes);
      assert.ok(prepared > MEMORY * 1.07);
      await governor.watch(vessel, { cpu: 1, memoryBytes });
      const limit = Number(vessel.dataLimit.bytes);
      if (memoryBytes === MEMORY) assert.equal(limit, prepared);
      else assert.ok(limit < prepared - memoryBytes);
      const limits = await readFile(`/proc/${vessel.pid}/limits`, 'latin1');
      assert.match(limits, new RegExp(`^Max data size +${limit} +${limit} `, 'm'));
    }
  });

  it('lets a stopped vessel go on when it is stopped itself', async () => {
    const governor = new Governor();
    await governor.start();
    await using vessel = VesselProcess.spawn(files);
    const signals: string[] = [];
    const signal = vessel.signal.bind(vessel);
    const frozen = new Promise<void>((resolve) => {
      vessel.signal = (name) => {
        signals.push(name);
        if (name === 'SIGSTOP') resolve();
        return signal(name);
      };
    });
    await runWatched(vessel, governor, { source: 'for (;;);', cpu: 0.1 });
    await frozen;
    await governor.stop();
    assert.equal(signals.at(-1), 'SIGCONT');
    assert.ok((await shareOver(vessel.pid, 500)) > 0.15, 'expected a busy loop to run freely');
  });

  it('freezes for 50 ms at most, whatever the debt', () => {
    for (const share of [0, 0.001, 0.02, 0.1, 0.5, 1]) {
      const account = new Share(share);
      account.settle(10, 100_000);
      assert.ok(account.freezeMs() <= 50, `at a share of ${share}`);
      assert.ok(account.breathMs() <= 50 * share);
    }
  });

  it('forgets a debt beyond half a second of the share, so that our own pause does not become its', () => {
    const account = new Share(0.1);
    account.settle(10_000, 10_000);
    account.settle(500, 0);
    assert.ok(account.credit >= 0, `got ${account.credit}`);
  });

  it('saves up no more than a burst', () => {
    const account = new Share(0.5);
    account.settle(60_000, 0);
    assert.equal(account.credit, 50);
  });
});
