import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchError } from './errors.ts';

/** Longer than many ticks of the clock that CPU is counted in, and than a node manager rests before it fills its pool. */
const LOOK_MS = 1250;
const MOST_LOOKS = 100;

/**
 * Waits until everything that this process started, and what that started, has used no CPU and stayed the same for a
 * moment: a pool of vessel processes is full then, and those that wait have tidied up.
 * @param lookMs how long that moment is; shorter ones are for who does not need the figure
 * @throws BenchError NO_FIGURE when that does not come within two minutes.
 */
export async function quiet(lookMs: number = LOOK_MS): Promise<void> {
  let before = '';
  for (let look = 0; look < MOST_LOOKS; look++) {
    const now = descendants(process.pid).map(cpuOf).join();
    if (now !== '' && now === before) return;
    before = now;
    await delay(lookMs);
  }
  throw new BenchError('NO_FIGURE', `expected vessel processes that wait quietly, they still compute: ${before}`);
}

function descendants(pid: number): number[] {
  const children = tryRead(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** In ticks, with the process id. */
function cpuOf(pid: number): string {
  const stat = tryRead(`/proc/${pid}/stat`);
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14);
  return `${pid}: ${Number(user) + Number(system)}`;
}

/** @returns nothing of a process that is gone. */
function tryRead(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
