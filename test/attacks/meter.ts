import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** How long a share is measured: long enough that what is free at the start does not count. */
const MEASURE_MS = 3000;
/** Linux tells times of processes in hundredths of a second, whatever its own clock is. */
const TICKS_PER_SECOND = 100;

/** @returns the share of one core that the busiest process below another one takes with all its threads. */
export async function highestShare(pid: number): Promise<number> {
  const look = () => new Map(processesBelow(pid).map((process) => [process, cpuTicks(process)]));
  const [before, sinceMs] = [look(), performance.now()];
  await wait(MEASURE_MS);
  const tookSeconds = (performance.now() - sinceMs) / 1000;
  const used = [...look()].map(([process, ticks]) => (ticks - (before.get(process) ?? ticks)) / TICKS_PER_SECOND);
  return Math.max(0, ...used) / tookSeconds;
}

function cpuTicks(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}

/** @returns the processes below another one, of which each is a vessel's Node, or what will become one. */
function processesBelow(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]));
    } catch {
      // It is gone already.
    }
  }
  const below = (parent: number): number[] =>
    [...parents].filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/** What a vessel's Node has in memory beside its program: its code, which all share, and its own data. */
const BASE_BYTES = 90 * 2 ** 20;
const WATCH_MS = 25;

/** Watches how much memory the greatest of a node manager's vessels takes. */
export class Peak {
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#look(), WATCH_MS);
  }

  /** @param limitBytes of the vessel. @returns by how many bytes more than a tenth it was passed; at most 0 is well. */
  end(limitBytes: number): number {
    this.#look();
    clearInterval(this.#timer);
    return this.#bytes - BASE_BYTES - limitBytes * 1.1;
  }

  #look(): void {
    for (const process of processesBelow(this.#pid)) this.#bytes = Math.max(this.#bytes, highWater(process));
  }
}

function highWater(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** @returns the processes below a node manager that are a vessel's Node; a launcher has it as its child. */
export function vesselProcesses(pid: number): number[] {
  const all = processesBelow(pid);
  return all.filter((process) => processesBelow(process).length === 0);
}

/** @returns the user that a process runs as; undefined when it is gone. */
export function userOf(pid: number): string | undefined {
  try {
    return /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}
