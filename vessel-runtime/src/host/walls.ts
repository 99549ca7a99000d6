import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { availableCage, bubblewrapPath, type Cage } from './bubblewrap.ts';
import { Cgroups } from './cgroup.ts';
import { DataLimit } from './data-limit.ts';
import { availableWrappers, type OuterWall, wrap } from './launch.ts';
import { hasProc } from './proc.ts';
import { seccompFilter } from './seccomp.ts';
import { mayTakeUsers } from './users.ts';

export interface Walls {
  /** Names of the walls that stand around each vessel process. */
  readonly up: string[];
  /** Names of the others, each with the reason or the way to get it. */
  readonly missing: string[];
}

const GET_UTIL_LINUX = 'install util-linux (apt, dnf and pacman have it by this name)';
/** Where systems close user namespaces, and how they are opened. */
const NAMESPACE_SETTINGS = [
  { file: 'user/max_user_namespaces', value: '0', remedy: 'sysctl -w user.max_user_namespaces=10000' },
  { file: 'kernel/unprivileged_userns_clone', value: '0', remedy: 'sysctl -w kernel.unprivileged_userns_clone=1' },
  {
    file: 'kernel/apparmor_restrict_unprivileged_userns',
    value: '1',
    remedy: "allow it in AppArmor's profile of bwrap, or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  },
];

function read(file: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${file}`, 'latin1').trim();
  } catch {
    return undefined;
  }
}

const GET_CGROUP = 'no group of cgroup v2 is ours: start it as a service with Delegate=yes';

/**
 * Finds out by trying: starts one process behind the same walls as a vessel's and reads from outside what the system
 * says of it. The isolate is always there, since no vessel process becomes ready without it.
 * @param without walls that are left out of every vessel process here.
 */
export async function detectWalls(without: readonly OuterWall[] = []): Promise<Walls> {
  const probe = await tryProbe();
  const wrappers = availableWrappers();
  const cage = without.includes('bubblewrap') ? undefined : availableCage(wrap);
  const found: [name: string, up: boolean, remedy: string][] = [
    ['isolate', true, ''],
    ['permission model', probe.permission, 'use the pinned Node'],
    ['no_new_privs', /^NoNewPrivs:\s*1$/m.test(probe.status), GET_UTIL_LINUX],
    ['rlimits', /^Max core file size\s+0\s+0\s/m.test(probe.limits), GET_UTIL_LINUX],
    ['memory limit', await holdsData(), GET_UTIL_LINUX],
    ['parent-death', wrappers.has('setpriv'), GET_UTIL_LINUX],
    ['bubblewrap', cage !== undefined, bubblewrapRemedy()],
    ['seccomp', cage?.filter !== undefined, seccompRemedy(cage)],
    ['own user', cage?.ownUser === true, userRemedy(cage)],
    ['cgroup', Cgroups.find() !== undefined, GET_CGROUP],
    ['governor', hasProc(), 'it needs /proc, so CPU and memory are not held from outside'],
  ];
  const isOut = (name: string) => without.some((wall) => wall === name);
  const out = found.filter(([name]) => isOut(name));
  const tried = found.filter(([name]) => !isOut(name));
  return {
    up: tried.filter(([, up]) => up).map(([name]) => name),
    missing: [
      ...out.map(([name]) => `${name}: left out by who started it`),
      ...tried.filter(([, up]) => !up).map(([name, , remedy]) => `${name}: ${remedy}`),
    ],
  };
}

function bubblewrapRemedy(): string {
  const path = bubblewrapPath();
  if (path === undefined) {
    return 'install it (apt install bubblewrap; dnf install bubblewrap; pacman -S bubblewrap), then start the node manager again';
  }
  const closed = NAMESPACE_SETTINGS.find(({ file, value }) => read(file) === value);
  if (closed !== undefined) return `${path} is there, but the system gives no user namespaces: ${closed.remedy}`;
  return `${path} is there but fails: the system may refuse user namespaces to it, or to this account`;
}

function seccompRemedy(cage: Cage | undefined): string {
  if (seccompFilter() === undefined) return `not built yet for ${process.arch}`;
  return cage === undefined ? 'it is loaded by bubblewrap' : '';
}

function userRemedy(cage: Cage | undefined): string {
  if (cage === undefined) return 'it is given by bubblewrap';
  if (!mayTakeUsers()) return 'only a node manager that is started as root can give each vessel one';
  return `other users must be able to read ${process.execPath}`;
}

interface Probe {
  readonly permission: boolean;
  readonly status: string;
  readonly limits: string;
}

/** The probe says on stdout whether it may read files, then waits for us to have read about it. */
async function tryProbe(): Promise<Probe> {
  const script =
    'process.stdout.write(String(process.permission?.has("fs.read", "/") === false));process.stdin.resume()';
  const [command = '', ...args] = wrap([process.execPath, '--permission', '--no-warnings', '-e', script]);
  const child = spawn(command, args, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    const said = await firstChunk(child, child.stdout);
    const about = (file: string) => readFile(`/proc/${child.pid}/${file}`, 'latin1').catch(() => '');
    return { permission: said === 'true', status: await about('status'), limits: await about('limits') };
  } finally {
    child.kill('SIGKILL');
  }
}

/** @returns whether what a vessel process may have of memory can be bounded while it runs. */
async function holdsData(): Promise<boolean> {
  const prlimit = availableWrappers().get('prlimit');
  const child = spawn('/bin/cat', { env: {}, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] });
  child.on('error', () => {});
  try {
    const { pid } = child;
    if (pid === undefined) return false;
    return await new DataLimit(prlimit, { user: {}, pid: () => pid }).set(2 ** 30);
  } finally {
    child.kill('SIGKILL');
  }
}

async function firstChunk(child: ChildProcess, stream: Readable): Promise<string> {
  return await new Promise((resolve) => {
    stream.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('error', () => resolve(''));
    child.once('exit', () => resolve(''));
  });
}
