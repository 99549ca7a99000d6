import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseRestrictions } from '@potluck/protocol';
import { Governor, type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import type { Result, Row } from '../src/row.ts';
import { restrictionsFor } from '../src/vessel.ts';

const MEMORY_BYTES = 64 * 2 ** 20;
/** As on a node. */
const NICE = 10;
const COUNTS = [1, 8, 16];
const PERCENTS = [5, 10, 25, 50];
/** Each begins with a burst in hand, which is not part of its share. */
const SETTLE_MS = 2000;
const WINDOW_MS = 8000;
/** Of all cores: what is left is for the node manager, and for whoever else is there. */
const MOST_LOAD = 0.85;

interface Busy extends AsyncDisposable {
  readonly pid: number;
  /** @returns milliseconds: the longest time that it was stopped at a stretch since the last call, as its stopper sees it. */
  readonly longest: () => number;
}

async function busy(files: RuntimeFiles, governor: Governor, cpu: number): Promise<Busy> {
  const vessel = VesselProcess.spawn(files, { memoryBytes: MEMORY_BYTES, nice: NICE });
  await vessel.ready;
  let longest = 0;
  let since = 0;
  const signal = vessel.signal.bind(vessel);
  vessel.signal = (name) => {
    if (name === 'SIGSTOP') since = performance.now();
    else longest = Math.max(longest, performance.now() - since);
    return signal(name);
  };
  const take = () => {
    const taken = longest;
    longest = 0;
    return taken;
  };
  await governor.watch(vessel, { cpu, memoryBytes: MEMORY_BYTES });
  const restrictions = parseRestrictions(restrictionsFor({ port: 54321, memoryBytes: MEMORY_BYTES }));
  vessel.start({ program: { name: 'busy.js', source: 'for (;;);' }, args: [], address: '127.0.0.1', restrictions });
  await vessel.started;
  return { pid: vessel.pid, longest: take, [Symbol.asyncDispose]: () => vessel[Symbol.asyncDispose]() };
}

/** @returns milliseconds of CPU of all its threads, as the kernel accounts them. */
async function cpuMs(pid: number | 'self'): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function measure(files: RuntimeFiles, count: number, percent: number): Promise<Result> {
  await using governor = new Governor();
  await governor.start();
  await using all = new AsyncDisposableStack();
  const vessels: Busy[] = [];
  for (let made = 0; made < count; made++) vessels.push(all.use(await busy(files, governor, percent / 100)));
  await delay(SETTLE_MS);
  const pids = ['self', ...vessels.map(({ pid }) => pid)] as const;
  for (const { longest } of vessels) longest();
  const before = await Promise.all(pids.map(cpuMs));
  const from = performance.now();
  await delay(WINDOW_MS);
  const after = await Promise.all(pids.map(cpuMs));
  const elapsed = performance.now() - from;
  const [own = 0, ...shares] = after.map((ms, at) => ((ms - (before[at] ?? 0)) / elapsed) * 100);
  const farthest = shares.reduce((a, b) => (Math.abs(b - percent) > Math.abs(a - percent) ? b : a));
  const freeze = Math.max(...vessels.map(({ longest }) => longest()));
  return {
    row: `CPU, ${count} x ${percent} %`,
    potluck: farthest,
    floor: percent,
    unit: '% of a core',
    better: 'less',
    goal: { within: 1 },
    counted: `the farthest from it in ${WINDOW_MS / 1000} s; longest freeze ${freeze.toFixed(0)} ms, node manager ${own.toFixed(1)} %`,
  };
}

export const governor: Row = {
  name: 'governor',
  onlyNamed: true,
  run: async (files) => {
    const results: Result[] = [];
    for (const count of COUNTS) {
      for (const percent of PERCENTS) {
        // More cannot be given on this machine, so nothing would be held.
        if ((count * percent) / 100 > cpus().length * MOST_LOAD) continue;
        results.push(await measure(files, count, percent));
      }
    }
    return results;
  },
};
