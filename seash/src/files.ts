import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { CommandError } from './errors.ts';

/** Puts a file in the place of another, for its user alone; whoever reads it meanwhile gets the one or the other. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** @throws CommandError FILE_MISSING, FILE_BROKEN (a folder or the like), FILE_TOO_LARGE */
export async function readLimited(path: string, limitBytes: number): Promise<Uint8Array> {
  const facts = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError('FILE_MISSING', `expected a file at ${path}, got none`, { cause });
  });
  if (!facts.isFile()) throw new CommandError('FILE_BROKEN', `expected a file at ${path}, got something else`);
  if (facts.size <= limitBytes) return await readFile(path);
  throw new CommandError('FILE_TOO_LARGE', `expected at most ${limitBytes} bytes in ${path}, got ${facts.size}`);
}
