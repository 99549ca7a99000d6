import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InstallError } from './errors.ts';

/**
 * Makes a directory and those above it that are missing. Node's own recursive `mkdir` never returns where a file system
 * denies that a directory can be made by saying that nothing is there, as /proc does.
 * @returns the outermost directory that was made, if any
 * @throws InstallError NO_PERMISSION where no directory can be, and what the file system throws
 */
export async function makeDirectories(path: string, mode: number): Promise<string | undefined> {
  const missing: string[] = [];
  for (let above = path; !(await exists(above)); above = dirname(above)) missing.unshift(above);
  for (const each of missing) await make(each, mode);
  return missing[0];
}

async function make(path: string, mode: number): Promise<void> {
  await mkdir(path, { mode }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new InstallError('NO_PERMISSION', `expected a place where directories can be made, got none: ${path}`);
  });
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
