import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Longest period of the kernel's CPU quota, so that no process is held for longer at a stretch. */
const PERIOD_US = 50_000;
/** The kernel takes no smaller quota. */
const LEAST_QUOTA_US = 1000;
/** A program has one thread; Node and its engine have six or seven more. */
const THREADS = 32;
/** By how much the kernel lets a group pass its memory, so that we mostly see it first and can say the figure. */
const HARD_PART = 0.1;
const CONTROLLERS = ['cpu', 'memory', 'pids'] as const;
const OURS = /^potluck-(\d+)-\d+$/;

export interface GroupLimits {
  /** Fraction of one core. */
  readonly cpu: number;
  /** Beyond what the process takes when it is put in. */
  readonly memoryBytes: number;
}

/** What the kernel has held back and counted of one process's group. */
export interface GroupReport {
  /** Milliseconds for which it was held since it was put in, and how often. */
  readonly heldMs: number;
  readonly holds: number;
  /** Whether the kernel killed it for its memory. */
  readonly outOfMemory: boolean;
}

/**
 * A directory of cgroup v2 that is ours: below it each vessel process gets a group, and the kernel itself holds it to its
 * CPU, its memory and its threads. See https://docs.kernel.org/admin-guide/cgroup-v2.html.
 */
export class Cgroups {
  static #found: { readonly groups: Cgroups | undefined } | undefined;
  readonly #base: string;
  #count = 0;
  /** Whose last process the system had not let go yet. */
  #busy: Cgroup[] = [];

  private constructor(base: string) {
    this.#base = base;
  }

  /**
   * Finds out by trying. Our own group is taken when nobody but this process is in it, as in a service or a scope with
   * `Delegate=yes`; this process then moves to a group below it, because the kernel wants processes in leaves only. What
   * was found stays so for the life of this process.
   */
  static find(): Cgroups | undefined {
    Cgroups.#found ??= { groups: Cgroups.#try() };
    return Cgroups.#found.groups;
  }

  static #try(): Cgroups | undefined {
    try {
      const base = ownGroup();
      if (base === undefined) return undefined;
      const available = words(join(base, 'cgroup.controllers'));
      if (!CONTROLLERS.every((name) => available.includes(name))) return undefined;
      if (!isRoot(base)) stepDown(base);
      writeFileSync(join(base, 'cgroup.subtree_control'), CONTROLLERS.map((name) => `+${name}`).join(' '));
      const groups = new Cgroups(base);
      groups.#sweep();
      groups.#make().remove();
      return groups;
    } catch {
      return undefined;
    }
  }

  /** Puts a process, with all of its threads, into a group of its own. @returns undefined when the system refuses */
  tryHold(pid: number, limits: GroupLimits): Cgroup | undefined {
    let group: Cgroup | undefined;
    try {
      group = this.#make();
      group.limit(limits);
      group.take(pid);
      return group;
    } catch {
      if (group !== undefined) this.release(group);
      return undefined;
    }
  }

  /** Ends whatever is still in it; the directory goes as soon as the system lets it. */
  release(group: Cgroup): void {
    this.#busy = [...this.#busy, group].filter((one) => !one.remove());
  }

  #make(): Cgroup {
    this.#busy = this.#busy.filter((group) => !group.remove());
    this.#count += 1;
    const directory = join(this.#base, `potluck-${process.pid}-${this.#count}`);
    mkdirSync(directory);
    return new Cgroup(directory);
  }

  /** What a node manager that was killed has left. */
  #sweep(): void {
    for (const name of readdirSync(this.#base)) {
      const pid = Number(OURS.exec(name)?.[1] ?? process.pid);
      if (pid !== process.pid && !isAlive(pid)) new Cgroup(join(this.#base, name)).remove();
    }
  }
}

/** Gives our own group, where it may be ours, to a user that this process is about to become. */
export function giveGroup({ uid, gid }: { uid: number; gid: number }): void {
  try {
    const base = ownGroup();
    if (base === undefined || isRoot(base)) return;
    for (const name of ['.', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads']) {
      chownSync(join(base, name), uid, gid);
    }
  } catch {
    // Then the kernel's own limits are one of the walls that are missing, and are said to be.
  }
}

/** The group of one vessel process. */
export class Cgroup {
  readonly #directory: string;
  #holdsCpu = false;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Whether the kernel holds its CPU; a share that is too small for the kernel is not held here. */
  get holdsCpu(): boolean {
    return this.#holdsCpu;
  }

  limit({ cpu, memoryBytes }: GroupLimits): void {
    const quotaUs = Math.floor(cpu * PERIOD_US);
    this.#holdsCpu = quotaUs >= LEAST_QUOTA_US;
    if (this.#holdsCpu) this.#write('cpu.max', `${quotaUs} ${PERIOD_US}`);
    this.#write('memory.max', `${Math.ceil(memoryBytes * (1 + HARD_PART))}`);
    this.#write('memory.oom.group', '1');
    this.#write('pids.max', `${THREADS}`);
    // Not on every machine.
    this.#tryWrite('memory.swap.max', '0');
  }

  take(pid: number): void {
    this.#write('cgroup.procs', `${pid}`);
  }

  /** Also after the process has ended, until it is released. */
  report(): GroupReport {
    const cpu = facts(join(this.#directory, 'cpu.stat'));
    const memory = facts(join(this.#directory, 'memory.events'));
    return {
      heldMs: (cpu.get('throttled_usec') ?? 0) / 1000,
      holds: cpu.get('nr_throttled') ?? 0,
      outOfMemory: (memory.get('oom_kill') ?? 0) > 0,
    };
  }

  /** Holds nothing back any more; what is in it goes on. */
  free(): void {
    for (const file of ['cpu.max', 'memory.max', 'pids.max']) this.#tryWrite(file, 'max');
  }

  /** Ends whatever is still in it. @returns false while the system has not let its last process go */
  remove(): boolean {
    this.#tryWrite('cgroup.kill', '1');
    try {
      rmdirSync(this.#directory);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
  }

  #write(file: string, text: string): void {
    writeFileSync(join(this.#directory, file), text);
  }

  #tryWrite(file: string, text: string): void {
    try {
      this.#write(file, text);
    } catch {
      // Said at each use why it may be missing.
    }
  }
}

/** @returns the directory of the group that this process is in, if it may be ours. */
function ownGroup(): string | undefined {
  const mount = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .find((line) => / - cgroup2 /.test(line))
    ?.split(' ');
  const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (mount === undefined || path === undefined) return undefined;
  const [, , , root = '/', point = ''] = mount;
  const below = relative(root, path);
  if (below.startsWith('..')) return undefined;
  const base = join(point, below);
  return isRoot(base) || isAlone(base) ? base : undefined;
}

/** The root of all groups may hold processes and give out controllers at once; it alone has no type. */
function isRoot(base: string): boolean {
  return !readdirSync(base).includes('cgroup.type');
}

function isAlone(base: string): boolean {
  return words(join(base, 'cgroup.procs')).every((pid) => pid === `${process.pid}`);
}

function stepDown(base: string): void {
  const leaf = join(base, 'manager');
  mkdirSync(leaf, { recursive: true });
  writeFileSync(join(leaf, 'cgroup.procs'), `${process.pid}`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function words(path: string): string[] {
  return readFileSync(path, 'utf8').split(/\s+/).filter(Boolean);
}

/** `NAME NUMBER` lines; none when the group is gone. */
function facts(path: string): Map<string, number> {
  try {
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    return new Map(lines.map((line) => line.split(' ')).map(([name = '', value]) => [name, Number(value)]));
  } catch {
    return new Map();
  }
}
