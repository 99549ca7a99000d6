import { statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname } from 'node:path';

/** What a machine has, as far as it can be measured without disturbing it. */
export interface Machine {
  readonly cores: number;
  readonly memoryBytes: number;
  /** Free now, for this user, where the installation goes. */
  readonly freeDiskBytes: number;
}

/**
 * Cores and memory count only as far as this process may use them (affinity, cgroup limits).
 * @param directory need not exist yet
 */
export async function measureMachine(directory: string): Promise<Machine> {
  const constrained = process.constrainedMemory();
  return {
    cores: availableParallelism(),
    memoryBytes: constrained > 0 ? Math.min(constrained, totalmem()) : totalmem(),
    freeDiskBytes: await freeBytes(directory),
  };
}

async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || dirname(directory) === directory) throw error;
    return await freeBytes(dirname(directory));
  }
}
