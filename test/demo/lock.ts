import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DemoError } from './errors.ts';

/**
 * Holds a file with this process's id, so that two demonstrations never share a directory.
 * @throws DemoError BUSY while another process that lives holds it
 */
export async function lock(path: string): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true }).catch((cause: Error) => {
    throw new DemoError('USAGE', `expected a directory that can be made at ${dirname(path)}, got another`, { cause });
  });
  const holder = Number(await readFile(path, 'utf8').catch(() => ''));
  if (holder > 0 && holder !== process.pid && isAlive(holder)) {
    throw new DemoError(
      'BUSY',
      `expected no other demonstration of this clone, got one as process ${holder}: end it first`,
    );
  }
  await writeFile(path, `${process.pid}`);
  return { [Symbol.asyncDispose]: async () => await rm(path, { force: true }) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
