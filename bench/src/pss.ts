import { readFile } from 'node:fs/promises';
import { BenchError } from './errors.ts';

/** @returns the memory of a process, where pages that it shares with others count in part. @throws BenchError NO_FIGURE */
export async function pssMiB(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
  const kB = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  if (kB === undefined) throw new BenchError('NO_FIGURE', 'expected the kernel to tell PSS (/proc/PID/smaps_rollup)');
  return Number(kB) / 1024;
}
