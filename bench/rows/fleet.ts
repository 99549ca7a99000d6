import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, quoteWord, Shell } from '@potluck/seash';
import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { BenchError } from '../src/errors.ts';
import { type NodeProcesses, nodeProcesses } from '../src/node-processes.ts';
import { quiet } from '../src/quiet.ts';
import { figuresOf, type Pair, type Result, type Row } from '../src/row.ts';
import { bareStart } from './start.ts';

/** As seash's own bound. */
const PARALLEL = 32;
const MEMORY_BYTES = 32 * 2 ** 20;
const PROGRAM = "log('hello', callargs[0]);\n";
const SEASH = fileURLToPath(new URL('../../seash/bin/seash.ts', import.meta.url));

export interface FleetInit {
  readonly nodes: number;
  /** Of each. */
  readonly vessels: number;
  readonly rounds: number;
  readonly lists: number;
  /** See `quiet`. */
  readonly lookMs?: number;
}

/** The shell as a library, and as a process of its own for each command. */
interface Shells {
  readonly library: (line: string) => Promise<void>;
  readonly executable: (line: string) => Promise<void>;
}

async function shellsOf(all: NodeProcesses, shell: Shell): Promise<Shells> {
  const { directory, user, addresses } = all;
  await writeFile(join(directory, 'user.private.jwk'), JSON.stringify(user.privateJwk), { mode: 0o600 });
  await writeFile(join(directory, 'user.public.jwk'), JSON.stringify(user.publicJwk));
  await writeFile(join(directory, 'hello.js'), PROGRAM);
  const known = [`loadkeys user`, ...addresses.map(({ host, port }) => `contact ${quoteWord(`${host}:${port}`)}`)];
  const library = async (line: string) => checked(await shell.execute(line));
  for (const line of known) await library(line);
  return { library, executable: async (line) => await seash(directory, [...known, line]) };
}

function checked(result: CommandResult): void {
  if (result.ok) return;
  throw new BenchError('NO_FIGURE', `expected "${result.command}" to go well, got ${JSON.stringify(result)}`);
}

/** The whole of a process that gets to know the nodes first. */
async function seash(directory: string, lines: string[]): Promise<void> {
  const args = [SEASH, '--json', '-c', lines.join('\n')];
  const child = spawn(process.execPath, args, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new BenchError('CHILD_FAILED', `expected seash to do "${lines.at(-1)}", it ended with ${code}`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

/** As many bare processes, as many at once as the shell starts. */
async function bareStarts(count: number): Promise<number> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await bareStart();
  };
  return await timed(() => Promise.all(Array.from({ length: PARALLEL }, worker)));
}

/** Each vessel is as new, and a process waits for each. */
async function fresh({ library }: Shells, lookMs: number | undefined): Promise<void> {
  await library('on %all reset');
  await quiet(lookMs);
}

async function measure(shells: Shells, name: keyof Shells, init: FleetInit): Promise<Result[]> {
  const { nodes, vessels, rounds, lists: listings, lookMs } = init;
  const all = nodes * vessels;
  const [runs, lists]: [Pair[], Pair[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await fresh(shells, lookMs);
    const ms = await timed(() => shells[name](`on %all run hello.js ${round}`));
    await quiet(lookMs);
    runs.push([ms, await bareStarts(all)]);
  }
  for (let round = 0; round < listings; round++) {
    lists.push([await timed(() => shells[name]('on %all list')), await timed(bareStart)]);
  }
  const whole =
    name === 'library' ? 'the command alone, connections open' : 'all of a seash process that contacts them first';
  const of = (what: string, pairs: Pair[]) =>
    ({ row: `${what} ${all} vessels, ${name}`, ...figuresOf(pairs), unit: 'ms', better: 'less' }) as const;
  return [
    {
      ...of('run on', runs),
      ...(name === 'library' && { goal: { atMost: 1000 } }),
      counted: `${nodes} node managers; bundle, compare, upload and start, ${whole} / ${all} node -e 0, ${PARALLEL} at once; median of ${rounds}`,
    },
    {
      ...of('list of', lists),
      ...(name === 'library' && { goal: { atMost: 300 } }),
      counted: `${whole} / one node -e 0; median of ${listings}`,
    },
  ];
}

export async function measureFleet(files: RuntimeFiles, init: FleetInit): Promise<Result[]> {
  const { nodes, vessels } = init;
  await using all = await nodeProcesses(files, { nodes, vessels, memoryBytes: MEMORY_BYTES });
  await using shell = new Shell({ directory: all.directory });
  const shells = await shellsOf(all, shell);
  return [...(await measure(shells, 'library', init)), ...(await measure(shells, 'executable', init))];
}

export const fleet: Row = {
  name: 'fleet',
  run: async (files) => await measureFleet(files, { nodes: 10, vessels: 10, rounds: 3, lists: 9 }),
};
