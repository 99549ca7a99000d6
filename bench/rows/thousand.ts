import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { parseRestrictions } from '@potluck/protocol';
import { Governor, type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import { BenchError } from '../src/errors.ts';
import { median, type Result, type Row } from '../src/row.ts';
import { restrictionsFor } from '../src/vessel.ts';
import { bareStart } from './start.ts';

const AT_ONCE = 4;
const PORT = 54321;
const MEMORY_BYTES = 32 * 2 ** 20;
const NICE = 10;
const ANSWER_MS = 5000;
const PROGRESS = 50;
const WATCH_MS = 5000;
const ALONE_ROUNDS = 100;
const MIB = 2 ** 20;

/** Each vessel has a loopback address of its own. */
const addressOf = (index: number): string => `127.40.${index >> 8}.${index & 255}`;

const sourceOf = (address: string): string =>
  `await recvmess('${address}', ${PORT}, (ip, port, mess) => sendmess(ip, port, mess, '${address}', ${PORT})); log('up');`;

const spawn = (files: RuntimeFiles): VesselProcess =>
  VesselProcess.spawn(files, { memoryBytes: MEMORY_BYTES, nice: NICE, waits: true });

/** Gives the process its echo; resolves when that runs. */
async function start(vessel: VesselProcess, governor: Governor, index: number): Promise<void> {
  await vessel.ready;
  await governor.watch(vessel, { cpu: 0.1, memoryBytes: MEMORY_BYTES });
  const up = new Promise<void>((resolve) => {
    vessel.onLog = () => resolve();
  });
  const address = addressOf(index);
  const restrictions = parseRestrictions(
    restrictionsFor({ port: PORT, memoryBytes: MEMORY_BYTES }).replace(/^resource cpu 1$/m, 'resource cpu 0.1'),
  );
  const program = { name: 'echo.js', source: sourceOf(address) };
  vessel.start({ program, args: [], address, restrictions });
  const ended = vessel.ended.then(({ message }) => {
    throw new BenchError('PROGRAM_ENDED', `expected vessel ${index} to run on, it ended: ${message}`);
  });
  ended.catch(() => {});
  await Promise.race([up, ended]);
  if ((index + 1) % PROGRESS === 0) process.stderr.write(`${index + 1} vessels run\n`);
}

/** @returns milliseconds. @throws when nothing comes back in time. */
async function roundTrip(client: Socket, index: number): Promise<number> {
  const begin = performance.now();
  const answer = once(client, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
  client.send(`m${index}`, PORT, addressOf(index));
  const [bytes] = (await answer) as [Buffer];
  if (String(bytes) !== `m${index}`) throw new BenchError('NO_FIGURE', `expected m${index}, got ${bytes}`);
  return performance.now() - begin;
}

async function availableBytes(): Promise<number> {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(await readFile('/proc/meminfo', 'latin1'))?.[1]) * 1024;
}

interface Figures {
  readonly startSeconds: number;
  readonly eachMiB: number;
  readonly alone: readonly number[];
  readonly together: readonly number[];
  readonly governorPercent: number;
}

async function measure(files: RuntimeFiles, count: number): Promise<Figures> {
  await using governor = new Governor();
  await governor.start();
  await using all = new AsyncDisposableStack();
  await using client = createSocket('udp4').bind(0, '127.0.0.1');
  await once(client, 'listening');
  await start(all.use(spawn(files)), governor, 0);
  const alone: number[] = [];
  for (let round = 0; round < ALONE_ROUNDS; round++) alone.push(await roundTrip(client, 0));
  const [free, begin] = [await availableBytes(), performance.now()];
  let next = 1;
  const worker = async () => {
    while (next < count) await start(all.use(spawn(files)), governor, next++);
  };
  // When one fails, the others have to stop before what they started is ended.
  const stopped = (error: unknown): never => {
    next = count;
    throw error;
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => worker().catch(stopped)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const startSeconds = (performance.now() - begin) / 1000;
  const eachMiB = (free - (await availableBytes())) / (count - 1) / MIB;
  const together: number[] = [];
  for (let index = 0; index < count; index++) together.push(await roundTrip(client, index));
  return { startSeconds, eachMiB, alone, together, governorPercent: await ownPercent() };
}

/** @returns what this process itself uses, in % of a core. */
async function ownPercent(): Promise<number> {
  const [cpu, from] = [process.cpuUsage(), performance.now()];
  await delay(WATCH_MS);
  const { user, system } = process.cpuUsage(cpu);
  return ((user + system) / 1000 / (performance.now() - from)) * 100;
}

async function results(files: RuntimeFiles, count: number): Promise<Result[]> {
  const bareMs = median([await bareStart(), await bareStart(), await bareStart()]);
  const { startSeconds, eachMiB, alone, together, governorPercent } = await measure(files, count);
  const line = (what: string, [potluck, floor]: readonly [number, number], unit: string, counted: string): Result => ({
    row: `${count.toLocaleString('en')} vessels: ${what}`,
    ...{ potluck, floor, unit, better: 'less', counted },
  });
  const slowest = Math.max(...together).toFixed(1);
  return [
    line(
      'all started',
      [startSeconds, (bareMs * count) / 1000],
      's',
      'with their UDP echo / as many node -e 0 in turn',
    ),
    line('memory of each', [eachMiB, MEMORY_BYTES / MIB], 'MiB', 'what the machine has less, by their number / limit'),
    line('answer', [median(together), median(alone)], 'ms', `UDP, each once, slowest ${slowest} ms / one vessel alone`),
    line('watched', [governorPercent, 100], '% of a core', 'the governor while all are idle / a core'),
  ];
}

/** The thousand take about 16 GB of memory. */
export const hundred: Row = { name: 'hundred', onlyNamed: true, run: (files) => results(files, 100) };
export const thousand: Row = { name: 'thousand', onlyNamed: true, run: (files) => results(files, 1000) };
