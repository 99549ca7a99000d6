import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import type { RuntimeFiles } from '../build.ts';
import { VesselError } from '../errors.ts';

/**
 * The programs in front of a vessel's Node. Each sets something on itself and then becomes the next (exec), so that the
 * process id stays the one that was spawned. The death signal follows the thread that spawned: spawn from the main one.
 */
const WRAPPERS = {
  setpriv: ['--pdeathsig', 'KILL', '--no-new-privs', '--'],
  // No core: it would hold the program's memory. No file may grow: there is none to write.
  prlimit: ['--nofile=256:256', '--core=0:0', '--fsize=0:0', '--'],
} as const;
export type WrapperName = keyof typeof WRAPPERS;

const FLAGS = [
  // isolated-vm asks for it: isolates that start from different snapshots share a read-only heap.
  '--no-node-snapshot',
  '--v8-pool-size=1',
  '--disable-proto=delete',
  '--disallow-code-generation-from-strings',
  '--no-warnings',
  '--permission',
  '--allow-addons',
  '--allow-net',
] as const;

const MIB = 2 ** 20;

export interface SpawnOptions {
  /** The process's priority, as in nice(1). */
  readonly nice?: number;
  /** Memory of the vessel that it will probably hold: for another its isolate is made anew at `start`, in about 10 ms. */
  readonly memoryBytes?: number;
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
    const { status } = spawnSync(path, [...WRAPPERS[name], '/bin/true'], { env: {}, cwd: '/', stdio: 'ignore' });
    if (status === 0) return [[name, path]];
  }
  return [];
}

/** @returns the command line in front of which the available wrappers stand. */
export function wrap(command: readonly string[]): string[] {
  const front = [...availableWrappers()].flatMap(([name, path]) => [path, ...WRAPPERS[name]]);
  return [...front, ...command];
}

/**
 * Starts a walled-in Node: no environment, no directory of its own, in a session of its own (a Ctrl-C at the terminal is
 * for us, not for it), its only ways out fd 0 to 3.
 * @throws VesselError SPAWN_FAILED
 */
export function launch(files: RuntimeFiles, options: SpawnOptions): ChildProcess {
  const reads = [`--allow-fs-read=${files.entry}`, `--allow-fs-read=${files.native}`];
  const heap = options.memoryBytes === undefined ? [] : [`${Math.ceil(options.memoryBytes / MIB)}`];
  const [command = '', ...args] = wrap([process.execPath, ...FLAGS, ...reads, files.entry, files.native, ...heap]);
  const child = spawn(command, args, { env: {}, cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
  // The reason of a failed spawn comes as an event; by then the caller knows that there is no process.
  child.on('error', () => {});
  if (child.pid === undefined) {
    throw new VesselError('SPAWN_FAILED', 'expected the system to start a vessel process, it refused');
  }
  giveWay(child.pid, options.nice);
  return child;
}

/** Courtesies to the rest of the machine where the system allows them; the governor is what holds the limits. */
function giveWay(pid: number, nice: number | undefined): void {
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
