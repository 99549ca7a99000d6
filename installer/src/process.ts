import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** One process of this machine and no other that gets its number later. */
export const processMarkSchema = z.object({
  pid: z.int().positive(),
  /** Clock ticks between boot and its start (proc(5), field 22 of stat). */
  startTicks: z.string(),
  /** Ticks are counted anew after each boot. */
  bootId: z.string(),
});
export type ProcessMark = z.infer<typeof processMarkSchema>;

/** Asked that often, since Linux tells only a parent of the end of a process. */
const POLL_MS = 20;

/** @returns undefined when no such process runs (one that has ended and waits for its parent does not run). */
export async function markOf(pid: number): Promise<ProcessMark | undefined> {
  const stat = await readProc(`/proc/${pid}/stat`);
  const bootId = await readProc('/proc/sys/kernel/random/boot_id');
  // The second field is the name in parentheses, and may itself hold spaces and parentheses.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTicks = fields[18];
  if (state === undefined || 'ZX'.includes(state) || startTicks === undefined) return undefined;
  return { pid, startTicks, bootId: bootId.trim() };
}

/** True while the very process of the mark runs and still runs `program` (the first argument of its Node). */
export async function isRunning(mark: ProcessMark, program: string): Promise<boolean> {
  const now = await markOf(mark.pid);
  if (now?.startTicks !== mark.startTicks || now.bootId !== mark.bootId) return false;
  const [, script] = (await readProc(`/proc/${mark.pid}/cmdline`)).split('\0');
  return script === program;
}

/** @returns whether it has ended within `limitMs` */
export async function waitForEnd(mark: ProcessMark, program: string, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (await isRunning(mark, program)) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function readProc(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return '';
    throw error;
  });
}
