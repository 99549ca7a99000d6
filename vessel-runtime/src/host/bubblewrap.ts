import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { RuntimeFiles } from '../build.ts';
import { seccompFilter } from './seccomp.ts';
import { sharedFiles } from './shared-files.ts';
import { mayTakeUsers, VESSEL_USERS } from './users.ts';

/** Where a vessel finds its few files, in a root that holds nothing else but Node's libraries. */
export const INSIDE = {
  node: '/vessel/node',
  entry: '/vessel/vessel.mjs',
  native: '/vessel/isolated-vm.node',
} as const;

const TRY_MS = 5000;

const NAMESPACES = ['--unshare-user', '--unshare-ipc', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try'];
const BEHAVIOUR = ['--as-pid-1', '--die-with-parent', '--new-session', '--clearenv', '--chdir', '/'];
const PRIVILEGES = ['--cap-drop', 'ALL', '--hostname', 'vessel'];

/** What bubblewrap can do on this machine. */
export interface Cage {
  /** Of bubblewrap itself. */
  readonly path: string;
  /** Each process gets a user of its own; only where we were started as root. */
  readonly ownUser: boolean;
  readonly filter: Buffer | undefined;
}

/** The descriptors that bubblewrap reads from and writes to. */
export interface CageDescriptors {
  readonly info?: number;
  readonly filter: number;
}

type Wrap = (command: string[]) => string[];

/** Not always the same first: another node manager on this machine takes users out of the same ones. */
let nextUser = randomInt(VESSEL_USERS.count);

/** @returns a user that no other of our last thousand processes has. */
function nextUserId(): number {
  nextUser = (nextUser + 1) % VESSEL_USERS.count;
  return VESSEL_USERS.first + nextUser;
}

let known: { readonly cage: Cage | undefined } | undefined;

/** @returns what works on this machine, found by trying, once; undefined when bubblewrap does not. */
export function availableCage(wrap: Wrap): Cage | undefined {
  known ??= { cage: findCage(wrap) };
  return known.cage;
}

/** @returns where a bubblewrap is that may or may not work. */
export function bubblewrapPath(): string | undefined {
  return ['/usr/bin/bwrap', '/bin/bwrap', '/usr/local/bin/bwrap'].find((path) => existsSync(path));
}

function findCage(wrap: Wrap): Cage | undefined {
  const path = process.platform === 'linux' ? bubblewrapPath() : undefined;
  if (path === undefined) return undefined;
  const filter = seccompFilter();
  const users = mayTakeUsers() ? [true, false] : [false];
  return users.map((ownUser) => ({ path, ownUser, filter })).find((cage) => works(cage, wrap));
}

/** Runs Node inside, which tries to start a child: libraries, rights, namespaces and filter are there, or it fails. */
function works(cage: Cage, wrap: Wrap): boolean {
  const script = `process.stdout.write(require('child_process').spawnSync('/none').error.code)`;
  // Any file will do for the two that this Node does not read.
  const files = reachable(cage, { entry: import.meta.filename, native: import.meta.filename });
  if (files === undefined) return false;
  // Only fd 0 can be filled beforehand, and bubblewrap closes where it read the filter; but Node wants an fd 0.
  const own = cageArguments(cage, files, { filter: 9 });
  const shell = ['/bin/sh', '-c', 'exec "$@" 9<&0 </dev/null', 'sh'];
  const probe = [...own, INSIDE.node, '--no-node-snapshot', '-e', script];
  const [command = '', ...args] = wrap([...shell, ...probe]);
  const { status, stdout } = spawnSync(command, args, {
    ...userOptions(cage),
    env: {},
    cwd: '/',
    input: cage.filter ?? '',
    timeout: TRY_MS,
    killSignal: 'SIGKILL',
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  return status === 0 && String(stdout) === (cage.filter === undefined ? 'ENOENT' : 'EPERM');
}

/** @returns the files where bubblewrap can read them, as the user that it is started as. */
export function reachable({ ownUser }: Cage, files: RuntimeFiles): RuntimeFiles | undefined {
  return ownUser ? sharedFiles(files) : files;
}

/** What `spawn` needs beside the command for another user than ours. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** @returns a user of the process's own, where each gets one. */
export function userOptions({ ownUser }: Cage): User {
  if (!ownUser) return {};
  const id = nextUserId();
  return { uid: id, gid: id };
}

/** @param files `reachable`. @returns bubblewrap's command line; what runs inside is to follow. */
export function cageArguments(cage: Cage, files: RuntimeFiles, descriptors: CageDescriptors): string[] {
  const { info, filter } = descriptors;
  return [
    cage.path,
    ...NAMESPACES,
    ...BEHAVIOUR,
    ...PRIVILEGES,
    ...(info === undefined ? [] : ['--info-fd', `${info}`]),
    ...(cage.filter === undefined ? [] : ['--seccomp', `${filter}`]),
    ...['--ro-bind', process.execPath, INSIDE.node],
    ...['--ro-bind', files.entry, INSIDE.entry, '--ro-bind', files.native, INSIDE.native],
    ...libraries().flatMap((library) => ['--ro-bind', library, library]),
    ...['--remount-ro', '/'],
  ];
}

let knownLibraries: readonly string[] | undefined;

/** @returns the libraries that Node is linked with, and its loader, as the loader itself lists them. */
function libraries(): readonly string[] {
  knownLibraries ??= listLibraries();
  return knownLibraries;
}

function listLibraries(): string[] {
  const env = { LD_TRACE_LOADED_OBJECTS: '1' };
  const { stdout } = spawnSync(process.execPath, ['--version'], { env, timeout: TRY_MS, encoding: 'utf8' });
  return [...(stdout ?? '').matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path = '']) => path);
}

/** @returns the process id that bubblewrap wrote for its child; undefined as long as it has not. */
export function childPidOf(info: string): number | undefined {
  const found = /"child-pid":\s*(\d+)\s*[,}\n]/.exec(info);
  return found === null ? undefined : Number(found[1]);
}
