import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { RuntimeFiles } from '../build.ts';
import { VesselError } from '../errors.ts';
import { availableCage, type Cage, cageArguments, INSIDE, reachable, type User, userOptions } from './bubblewrap.ts';
import { keepsRights } from './users.ts';

/**
 * The programs in front of a vessel's Node. Each sets something on itself and then becomes the next (exec), so that the
 * process id stays the one that was spawned. The death signal follows the thread that spawned: spawn from the main one.
 */
const STACK = 2 * 2 ** 20;
const WRAPPERS = {
  setpriv: () => [
    ...(keepsRights() ? ['--inh-caps=-all', '--ambient-caps=-all'] : []),
    ...['--pdeathsig', 'KILL', '--no-new-privs', '--'],
  ],
  // No core: it would hold the program's memory. No file may grow: there is none to write. The engine keeps to 1 MiB of
  // stack; what a thread may have beyond would be charged to the program when the engine starts one.
  prlimit: (threads?: number) => [
    ...['--nofile=256:256', '--core=0:0', '--fsize=0:0', `--stack=${STACK}:${STACK}`],
    ...(threads === undefined ? [] : [`--nproc=${threads}:${threads}`]),
    '--',
  ],
} as const;
export type WrapperName = keyof typeof WRAPPERS;

/** The walls outside the isolate that can be left out one by one, by the names that `detectWalls` has for them. */
export const OUTER_WALLS = [
  'permission model',
  'no_new_privs',
  'rlimits',
  'bubblewrap',
  'seccomp',
  'own user',
  'governor',
] as const;
export type OuterWall = (typeof OUTER_WALLS)[number];
type Without = readonly OuterWall[];

/**
 * Threads of a vessel's own user, where Node has about ten: room for another node manager's vessel that has the same, for
 * the kernel counts by users and not by processes.
 */
const MOST_THREADS = 128;

const WALL_OF: Readonly<Record<WrapperName, OuterWall>> = { setpriv: 'no_new_privs', prlimit: 'rlimits' };

const FLAGS = [
  // isolated-vm asks for it: isolates that start from different snapshots share a read-only heap.
  '--no-node-snapshot',
  '--v8-pool-size=1',
  // Without /proc the engine would copy its built-in code for each process, 2 MiB, to call it in fewer bytes.
  '--no-short-builtin-calls',
  // The isolate's own choice for small heaps is 0.5 MiB: programs that make many strings spent a third of their time there.
  '--max-semi-space-size=4',
  '--disable-proto=delete',
  '--disallow-code-generation-from-strings',
  '--no-warnings',
] as const;
const PERMISSIONS = ['--permission', '--allow-addons', '--allow-net'] as const;

const MIB = 2 ** 20;

export interface SpawnOptions {
  /** The process's priority, as in nice(1). */
  readonly nice?: number;
  /** Memory of the vessel that it will probably hold: for another its isolate is made anew at `start`, in about 10 ms. */
  readonly memoryBytes?: number;
  /** It will wait for its program: before it is `ready` it gives back what only its start needed, which takes 15 ms. */
  readonly waits?: boolean;
  /**
   * Walls that are left out, as on a machine that has them not: for the tests of the others. Only code can ask for it:
   * no environment, configuration or request.
   */
  readonly without?: readonly OuterWall[];
}

/** A vessel process on its way, and how its process id will be known. */
export interface Launched {
  readonly child: ChildProcess;
  /** Where bubblewrap writes about the process that it started; undefined when the child itself is the vessel's Node. */
  readonly info: Readable | undefined;
  readonly user: User;
}

let found: ReadonlyMap<WrapperName, string> | undefined;

/** @returns the wrappers that work on this machine, with their paths; tried once in the life of this process. */
export function availableWrappers(): ReadonlyMap<WrapperName, string> {
  found ??= new Map((Object.keys(WRAPPERS) as WrapperName[]).flatMap(tryWrapper));
  return found;
}

function tryWrapper(name: WrapperName): [WrapperName, string][] {
  if (process.platform !== 'linux') return [];
  for (const directory of ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin']) {
    const path = `${directory}/${name}`;
    const { status } = spawnSync(path, [...WRAPPERS[name](), '/bin/true'], { env: {}, cwd: '/', stdio: 'ignore' });
    if (status === 0) return [[name, path]];
  }
  return [];
}

/** @returns the command line in front of which the available wrappers stand. */
export function wrap(command: readonly string[], without: Without = [], threads?: number): string[] {
  const used = [...availableWrappers()].filter(([name]) => !without.includes(WALL_OF[name]));
  return [...used.flatMap(([name, path]) => [path, ...WRAPPERS[name](threads)]), ...command];
}

function cageOf(without: Without): Cage | undefined {
  const cage = without.includes('bubblewrap') ? undefined : availableCage(wrap);
  if (cage === undefined) return undefined;
  const filter = without.includes('seccomp') ? undefined : cage.filter;
  return { ...cage, filter, ownUser: cage.ownUser && !without.includes('own user') };
}

/**
 * Starts a walled-in Node: no environment, no directory of its own, in a session of its own (a Ctrl-C at the terminal is
 * for us, not for it), its only ways out fd 0 to 3. Behind bubblewrap where that works.
 * @throws VesselError SPAWN_FAILED
 */
export function launch(files: RuntimeFiles, options: SpawnOptions): Launched {
  const cage = cageOf(options.without ?? []);
  const launched = cage === undefined ? launchBare(files, options) : launchCaged(cage, files, options);
  const { child } = launched;
  // The reason of a failed spawn comes as an event; by then the caller knows that there is no process.
  child.on('error', () => {});
  if (child.pid === undefined) {
    throw new VesselError('SPAWN_FAILED', 'expected the system to start a vessel process, it refused');
  }
  giveWay(child.pid, options.nice);
  return launched;
}

const SPAWN = { env: {}, cwd: '/', detached: true } as const;

function launchBare(files: RuntimeFiles, options: SpawnOptions): Launched {
  const [command = '', ...args] = wrap(nodeCommand({ node: process.execPath, ...files }, options), options.without);
  return {
    child: spawn(command, args, { ...SPAWN, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }),
    info: undefined,
    user: {},
  };
}

function launchCaged(cage: Cage, files: RuntimeFiles, options: SpawnOptions): Launched {
  const readable = reachable(cage, files);
  if (readable === undefined) {
    throw new VesselError(
      'SPAWN_FAILED',
      "expected room for the runtime files where a vessel's user can read, got none",
    );
  }
  const own = cageArguments(cage, readable, { info: 4, filter: 5 });
  const threads = cage.ownUser ? MOST_THREADS : undefined;
  const [command = '', ...args] = wrap([...own, ...nodeCommand(INSIDE, options)], options.without, threads);
  // The last is for the filter: where there is none, nobody would close it before the vessel has it.
  const pipes = Array.from({ length: cage.filter === undefined ? 5 : 6 }, () => 'pipe' as const);
  const user = userOptions(cage);
  const child = spawn(command, args, { ...SPAWN, ...user, stdio: pipes });
  const [, , , , info, filter] = child.stdio as unknown as [null, null, null, null, Readable, Writable?];
  info.on('error', () => {});
  filter?.on('error', () => {});
  filter?.end(cage.filter);
  return { child, info, user };
}

function nodeCommand(files: RuntimeFiles & { node: string }, options: SpawnOptions): string[] {
  const { memoryBytes, waits = false, without = [] } = options;
  const reads = [`--allow-fs-read=${files.entry}`, `--allow-fs-read=${files.native}`];
  const permissions = without.includes('permission model') ? [] : [...PERMISSIONS, ...reads];
  const heap = memoryBytes === undefined ? '' : `${Math.ceil(memoryBytes / MIB)}`;
  return [files.node, ...FLAGS, ...permissions, files.entry, files.native, heap, ...(waits ? ['waits'] : [])];
}

/** Courtesies to the rest of the machine where the system allows them; the governor is what holds the limits. */
export function giveWay(pid: number, nice: number | undefined): void {
  try {
    if (nice !== undefined) setPriority(pid, nice);
    // When the machine runs out of memory, a vessel goes first and never what its owner does.
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
  } catch {
    // No such file, or no right to write it.
  }
}

/** @returns the number of a signal: 128 and this make an exit code, as shells count. */
export function signalNumber(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}
