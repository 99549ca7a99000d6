import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import { pssMiB } from '../src/pss.ts';
import { median, type Row } from '../src/row.ts';

const COUNT = 200;
const SETTLED_MS = 1000;
const IDLE = 'process.stdout.write("up"); setInterval(() => {}, 2 ** 30);';

interface Idle extends AsyncDisposable {
  readonly pid: number;
}

async function idleVessel(files: RuntimeFiles): Promise<Idle> {
  const vessel = VesselProcess.spawn(files, { waits: true });
  await vessel.ready;
  return vessel;
}

async function idleNode(): Promise<Idle> {
  const child = spawn(process.execPath, ['-e', IDLE], { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(child, 'exit');
  await once(child.stdout, 'data');
  const end = async () => {
    child.kill('SIGKILL');
    await gone;
  };
  return { pid: child.pid as number, [Symbol.asyncDispose]: end };
}

/** PSS shares out the pages that processes have in common, so it is right only while all of them are there. */
async function pssOf(make: () => Promise<Idle>): Promise<number> {
  await using all = new AsyncDisposableStack();
  const processes: Idle[] = [];
  for (let made = 0; made < COUNT; made++) processes.push(all.use(await make()));
  await delay(SETTLED_MS);
  return median(await Promise.all(processes.map(async ({ pid }) => (await pssMiB(pid)) + (await launcherMiB(pid)))));
}

/** Bubblewrap waits beside the process that it has started. */
async function launcherMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
  return parent === process.pid ? 0 : await pssMiB(parent);
}

export const idleMemory: Row = {
  name: 'idle-memory',
  run: async (files) => [
    {
      row: 'memory of an idle vessel',
      potluck: await pssOf(() => idleVessel(files)),
      floor: await pssOf(idleNode),
      unit: 'MiB PSS',
      better: 'less',
      goal: { most: 1.6 },
      counted: `ready vessel process with its launcher / bare node process, median of ${COUNT} that are there together`,
    },
  ],
};
