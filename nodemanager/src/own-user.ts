import { spawnSync } from 'node:child_process';
import { chownSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { giveGroup, VESSEL_USERS } from '@potluck/vessel-runtime';
import { NodeManagerError } from './errors.ts';

/** Of a node manager that was started as root, where the machine has no user of the name `potluck`. */
const DEFAULT_ID = 60_000;
const DEFAULT_NAME = 'potluck';
const TRY_MS = 20_000;

interface OwnUser {
  readonly uid: number;
  readonly gid: number;
}

const ROOT: OwnUser = { uid: 0, gid: 0 };

/**
 * What is left of root's rights, and of them only over the users in the namespace: taking a vessel's user, and ending,
 * slowing and watching its processes.
 */
const CAPABILITIES = ['setuid', 'setgid', 'kill', 'sys_nice', 'sys_ptrace', 'dac_override'].map((name) => `+${name}`);

/** Becomes the user, without any right of root: `sh UID GID COMMAND...`. */
const PLAIN =
  'uid=$1; gid=$2; shift 4; exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --no-new-privs -- "$@"';

/**
 * The same in a user namespace that knows the own user and those of vessels, and nobody else: the rights that are kept
 * hold for these only (user_namespaces(7)). Its map is written from outside, by a process that is gone before the command
 * begins: `sh UID GID MAP CAPABILITIES COMMAND...`.
 */
const NAMESPACED = `
me=$$
ns=$(readlink /proc/self/ns/user)
map=$3
( ( n=0
    while [ "$(readlink /proc/$me/ns/user)" = "$ns" ]; do n=$((n+1)); [ $n -gt 500 ] && exit 1; sleep 0.01; done
    printf "$map" > /proc/$me/gid_map && printf "$map" > /proc/$me/uid_map ) & ) </dev/null >/dev/null 2>&1
exec unshare --user --keep-caps /bin/sh -c '
  n=0
  until [ -n "$(cat /proc/self/uid_map)" ]; do n=$((n+1)); [ $n -gt 500 ] && exit 1; sleep 0.01; done
  uid=$1; gid=$2; caps=$4; shift 4
  exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --inh-caps "-all,$caps" --ambient-caps "-all,$caps" --no-new-privs -- "$@"
' sh "$@"`;

/** Run as the user: what the node manager will need is within reach. `sh STATE NODE FILE...` */
const REACHES = `
for path; do [ -r "$path" ] || { echo "$path" >&2; exit 1; }; done
[ -x "$1" ] && [ -x "$2" ] || { echo "$1 or $2" >&2; exit 1; }`;

export interface OwnUserInit {
  readonly state: string;
  /** A name or a number, as on the command line. */
  readonly user: string | undefined;
  /** Beside this program: what has to be within reach. */
  readonly files: readonly string[];
}

/**
 * Called as root: gives the state directory to the node manager's own user and starts this program anew as that user, in
 * the same process, never to return.
 * @returns why it cannot; the state directory is root's again then, since the walls of a vessel are built in a namespace that
 * knows root alone, and would not find what belongs to others.
 * @throws NodeManagerError STATE_UNUSABLE @throws NodeManagerError NO_SUCH_USER
 */
export function becomeOwnUser({ state, user, files }: OwnUserInit): string {
  const own = ownUserOf(user);
  const made = giveDirectory(state, own);
  giveGroup(own);
  const program = process.argv[1] ?? '';
  const reasons = new Set<string>();
  for (const script of [NAMESPACED, PLAIN]) {
    const way = ['-c', script, 'sh', ...shellArguments(own)];
    const check = ['/bin/sh', '-c', REACHES, 'sh', state, process.execPath, program, ...files];
    const { status, stderr } = spawnSync('/bin/sh', [...way, ...check], { timeout: TRY_MS, encoding: 'utf8' });
    if (status !== 0) {
      reasons.add(stderr.trim().split('\n').at(-1) ?? '');
      continue;
    }
    process.execve?.('/bin/sh', ['/bin/sh', ...way, process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  }
  for (const path of made) chownSync(path, ROOT.uid, ROOT.gid);
  giveAll(state, { from: own.uid, to: ROOT, deep: true });
  return `user ${own.uid} does not get there: ${[...reasons].join('; ')}`;
}

function shellArguments({ uid, gid }: OwnUser): string[] {
  const { first, count } = VESSEL_USERS;
  const lines = (own: number) => `${own} ${own} 1\\n${first} ${first} ${count}\\n`;
  return [`${uid}`, `${gid}`, lines(uid), CAPABILITIES.join(',')];
}

/** @throws NodeManagerError NO_SUCH_USER */
function ownUserOf(user: string | undefined): OwnUser {
  const named = numberOf('-u', user ?? DEFAULT_NAME);
  const uid = named ?? (user === undefined ? DEFAULT_ID : Number(user));
  const gid = numberOf('-g', user ?? DEFAULT_NAME) ?? uid;
  const { first, count } = VESSEL_USERS;
  const isVessels = uid >= first && uid < first + count;
  if (Number.isInteger(uid) && uid > 0 && uid < 2 ** 31 && gid > 0 && !isVessels) return { uid, gid };
  const message = `expected a user of this machine that is neither root nor one of ${first} to ${first + count - 1}, got ${user}`;
  throw new NodeManagerError('NO_SUCH_USER', message);
}

function numberOf(flag: '-u' | '-g', name: string): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, '--', name], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

/**
 * All that root has made there, by hand or as an earlier node manager. What belongs to the user already may have been
 * changed by programs that took the node manager over, so there nothing is followed: no link, and no second name of a file.
 * @returns the directories above it that had to be made.
 */
function giveDirectory(state: string, own: OwnUser): string[] {
  try {
    const above: string[] = [];
    const made = mkdirSync(state, { recursive: true, mode: 0o700 });
    for (let at = made; at !== undefined && at !== state; at = nextTo(at, state)) above.push(at);
    for (const path of above) chownSync(path, own.uid, own.gid);
    giveAll(state, { from: ROOT.uid, to: own, deep: lstatSync(state).uid === ROOT.uid });
    return above;
  } catch (cause) {
    const message = `expected a state directory at ${state} that can be given to user ${own.uid}, got one that cannot`;
    throw new NodeManagerError('STATE_UNUSABLE', message, { cause });
  }
}

/** @returns the path below `at` on the way to `state`. */
function nextTo(at: string, state: string): string {
  const [next = ''] = state.slice(at.length + 1).split('/');
  return join(at, next);
}

interface Gift {
  readonly from: number;
  readonly to: OwnUser;
  /** Else directories within are left as they are. */
  readonly deep: boolean;
}

function giveAll(path: string, gift: Gift): void {
  const { from, to, deep } = gift;
  const stat = lstatSync(path);
  if (stat.isDirectory()) {
    for (const name of readdirSync(path)) {
      const inner = join(path, name);
      if (deep || !lstatSync(inner).isDirectory()) giveAll(inner, gift);
    }
  }
  if (stat.uid === from && (stat.isDirectory() || (stat.isFile() && stat.nlink === 1)))
    lchownSync(path, to.uid, to.gid);
}
