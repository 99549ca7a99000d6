import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { parseRestrictions, QUANTITY_NAMES } from '@potluck/protocol';
import { type Disk, FileSession, Governor, type RuntimeFiles, VesselProcess } from '@potluck/vessel-runtime';
import { BenchError } from './errors.ts';

/** Rates that no machine reaches, so that what is measured is the way and not the meter's brake. */
const QUANTITY = 1e12;
const MEMORY_BYTES = 64 * 2 ** 20;

/** @returns restrictions for a server on one port of 127.0.0.1, with nothing else in its way. */
export function restrictionsFor({ port, memoryBytes }: { port: number; memoryBytes: number }): string {
  const quantities = QUANTITY_NAMES.map((name) => {
    if (name === 'cpu') return `resource ${name} 1`;
    if (name === 'memory') return `resource ${name} ${memoryBytes}`;
    return `resource ${name} ${name === 'events' ? 500 : QUANTITY}`;
  });
  const ports = [`resource messport ${port}`, `resource connport ${port}`];
  return [...quantities, ...ports, 'destination allow 127.0.0.1'].join('\n');
}

export interface Running extends AsyncDisposable {
  /** From the start to the first log line. */
  readonly ms: number;
  readonly line: string;
  /** @returns what the work gives. @throws BenchError PROGRAM_ENDED when the program ends meanwhile. */
  during<T>(work: Promise<T>): Promise<T>;
}

/** Starts a program in a vessel process that is ready; resolves when it has logged something. */
export async function runProgram(
  files: RuntimeFiles,
  source: string,
  { port = 54321, disk }: { port?: number; disk?: Disk | undefined } = {},
): Promise<Running> {
  const vessel = VesselProcess.spawn(files, { memoryBytes: MEMORY_BYTES });
  await vessel.ready;
  const restrictions = parseRestrictions(restrictionsFor({ port, memoryBytes: MEMORY_BYTES }));
  const logged = new Promise<{ line: string; end: number }>((resolve) => {
    vessel.onLog = (line) => resolve({ line, end: performance.now() });
  });
  const ended = vessel.ended.then(({ message }) => {
    throw new BenchError('PROGRAM_ENDED', `expected the bench program to run on, it ended: ${message}`);
  });
  ended.catch(() => {});
  const { quantities } = restrictions;
  const session = disk && new FileSession(disk, { quantities, tell: (usage) => vessel.tell(usage) });
  const services = session?.services ?? {};
  const begin = performance.now();
  vessel.start({ program: { name: 'bench.js', source }, args: [], address: '127.0.0.1', restrictions, services });
  const { line, end } = await Promise.race([logged, ended]);
  return {
    ms: end - begin,
    line,
    during: (work) => Promise.race([work, ended]),
    [Symbol.asyncDispose]: async () => {
      await vessel[Symbol.asyncDispose]();
      await session?.stop();
    },
  };
}

/** Starts a program in a process that is not there yet, held to its limits. @returns ms until its first log line. */
export async function coldStart(files: RuntimeFiles, source: string): Promise<number> {
  await using governor = new Governor();
  await governor.start();
  const begin = performance.now();
  await using vessel = VesselProcess.spawn(files, { memoryBytes: MEMORY_BYTES });
  await vessel.ready;
  await governor.watch(vessel, { cpu: 1, memoryBytes: MEMORY_BYTES });
  const logged = new Promise<number>((resolve) => {
    vessel.onLog = () => resolve(performance.now() - begin);
  });
  const restrictions = parseRestrictions(restrictionsFor({ port: 54321, memoryBytes: MEMORY_BYTES }));
  vessel.start({ program: { name: 'bench.js', source }, args: [], address: '127.0.0.1', restrictions });
  return await logged;
}

/** Runs a program that logs one figure. @throws BenchError NO_FIGURE */
export async function figureOfProgram(files: RuntimeFiles, source: string, disk?: Disk): Promise<number> {
  await using program = await runProgram(files, source, { disk });
  const figure = Number(program.line);
  if (Number.isFinite(figure)) return figure;
  throw new BenchError('NO_FIGURE', `expected the bench program to log a figure, got "${program.line}"`);
}

/** @returns a port of 127.0.0.1 that is free for UDP and TCP. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  socket.close();
  server.close();
  await once(server, 'close');
  return port;
}
