import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type FileName, NodeClient, type VesselName } from '@potluck/protocol';
import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { nodeProcesses } from '../src/node-processes.ts';
import { pssMiB } from '../src/pss.ts';
import { quiet } from '../src/quiet.ts';
import type { Result, Row } from '../src/row.ts';

const MIB = 2 ** 20;
const UNBRAKED = { vessels: 1000, keyPerSecond: 1e6, keyBurst: 1e6, addressPerSecond: 1e6, addressBurst: 1e6 };
const PART = ['resource cpu 0.1', `resource memory ${32 * MIB}`, 'resource diskused 1e6', 'resource events 20'].join(
  '\n',
);
const PROGRAM = 'idle.js' as FileName;
const SOURCE = 'settimer(1000000, () => {});';
const AT_ONCE = 8;
const IDLE = 'process.stdout.write("up"); setInterval(() => {}, 2 ** 30);';

/** @returns nanoseconds of CPU of all its threads. */
function cpuNs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const used = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]));
  return used.reduce((sum, ns) => sum + ns, 0);
}

export interface IdleInit {
  /** As many as a configuration may name; the others are split off. */
  readonly first: number;
  /** From each of them. */
  readonly splits: number;
  readonly watchMs: number;
  /** From the last start to the watch: longer than a node manager rests before it fills its pool, and takes for that. */
  readonly settleMs: number;
}

interface Figures {
  readonly pss: number;
  /** Milliseconds of CPU in a minute. */
  readonly cpuMs: number;
}

async function watch(pid: number, watchMs: number): Promise<Figures> {
  const [before, from] = [cpuNs(pid), performance.now()];
  await delay(watchMs);
  const cpuMs = ((cpuNs(pid) - before) / 1e6) * (60_000 / (performance.now() - from));
  return { pss: await pssMiB(pid), cpuMs };
}

async function bare(watchMs: number): Promise<Figures> {
  const child = spawn(process.execPath, ['-e', IDLE], { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = once(child, 'exit');
  await once(child.stdout, 'data');
  const figures = await watch(child.pid as number, watchMs);
  child.kill('SIGKILL');
  await gone;
  return figures;
}

async function splitAll(client: NodeClient, splits: number): Promise<void> {
  const { vessels } = (await client.call('GetVessels', {})).result;
  for (const { name } of vessels) {
    let whole = name;
    for (let split = 0; split < splits; split++) {
      whole = (await client.call('SplitVessel', { vessel: whole, restrictions: PART })).result.rest;
    }
  }
}

async function startAll(client: NodeClient): Promise<void> {
  const names = (await client.call('GetVessels', {})).result.vessels.map(({ name }) => name);
  const startOne = async (vessel: VesselName): Promise<void> => {
    await client.call('AddFileToVessel', { vessel, name: PROGRAM }, { attachment: Buffer.from(SOURCE) });
    await client.call('StartVessel', { vessel, program: PROGRAM, args: [] });
  };
  const worker = async (): Promise<void> => {
    for (let vessel = names.pop(); vessel !== undefined; vessel = names.pop()) await startOne(vessel);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function resultsOf(what: string, figures: Figures, floor: Figures): Result[] {
  const counted = `the node manager's own process with ${what}`;
  const row = `node manager, ${what}`;
  return [
    {
      ...{ row: `${row}: memory`, potluck: figures.pss, floor: floor.pss, unit: 'MiB PSS', better: 'less' },
      counted: `${counted} / a bare node process`,
    },
    {
      ...{ row: `${row}: CPU`, potluck: figures.cpuMs, floor: 60_000, unit: 'ms a minute', better: 'less' },
      counted: `${counted} / a core; a bare node process takes ${floor.cpuMs.toFixed(1)}`,
    },
  ];
}

export async function measureIdle(
  files: RuntimeFiles,
  { first, splits, watchMs, settleMs }: IdleInit,
): Promise<Result[]> {
  const init = { nodes: 1, vessels: first, memoryBytes: (1 + splits) * 40 * MIB, limits: UNBRAKED };
  await using all = await nodeProcesses(files, init);
  const [address] = all.addresses;
  if (address === undefined) return [];
  await using client = await NodeClient.connect({ address, node: address.node, identity: all.owner });
  await splitAll(client, splits);
  await quiet();
  const [floor, empty] = [await bare(watchMs), await watch(address.pid, watchMs)];
  await startAll(client);
  await delay(settleMs); // As `quiet` sees it, so many are never quiet together: each looks once a second what it uses.
  const vessels = `${first * (1 + splits)} vessels`;
  return [
    ...resultsOf(`${vessels} without a program`, empty, floor),
    ...resultsOf(`${vessels} with an idle program each`, await watch(address.pid, watchMs), floor),
  ];
}

/** Takes 3 GB of memory while its programs run. */
export const idleVessels: Row = {
  name: 'idle-vessels',
  onlyNamed: true,
  run: async (files) => await measureIdle(files, { first: 50, splits: 3, watchMs: 20_000, settleMs: 10_000 }),
};
