import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { digest, type FileName, fileNameSchema, LIMITS } from '@potluck/protocol';
import { z } from 'zod';
import { ask } from './bulk.ts';
import { CommandError } from './errors.ts';
import { readLimited } from './files.ts';
import type { Context } from './session.ts';
import type { Target } from './targets.ts';

/** A file on its way into a vessel. */
export interface Upload {
  readonly name: FileName;
  readonly bytes: Uint8Array;
}

/** What `uploaddir` takes at once: all of it is in memory while it is sent. */
export const UPLOAD_LIMITS = { files: 256, bytes: 64 * 1024 * 1024 } as const;

/** @throws CommandError BAD_NAME */
export function remoteName(text: string): FileName {
  const name = fileNameSchema.safeParse(text);
  if (name.success) return name.data;
  throw new CommandError('BAD_NAME', `${z.treeifyError(name.error).errors.join(', ')}, got "${text}"`);
}

/** @throws CommandError FILE_MISSING, FILE_BROKEN, FILE_TOO_LARGE */
export async function readLocal(path: string): Promise<Uint8Array> {
  return await readLimited(path, LIMITS.fileBytes);
}

/**
 * @returns the files of a folder in the order of their names, and the names of what is left out: folders, and files whose
 * name begins with a dot. @throws CommandError FILE_MISSING, FILE_TOO_LARGE, BAD_NAME, BAD_ARGUMENTS (too many)
 */
export async function readFolder(path: string): Promise<{ uploads: Upload[]; skipped: string[] }> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new CommandError('FILE_MISSING', `expected a folder at ${path}, got none`, { cause });
  });
  const names = entries.map(({ name }) => name).sort();
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
  const isTaken = (name: string): boolean => !folders.has(name) && !name.startsWith('.');
  const taken = names.filter(isTaken);
  if (taken.length > UPLOAD_LIMITS.files) {
    const message = `expected at most ${UPLOAD_LIMITS.files} files in ${path}, got ${taken.length}`;
    throw new CommandError('BAD_ARGUMENTS', message);
  }
  const uploads: Upload[] = [];
  let bytes = 0;
  for (const name of taken) {
    const upload = { name: remoteName(name), bytes: await readLocal(join(path, name)) };
    bytes += upload.bytes.byteLength;
    if (bytes > UPLOAD_LIMITS.bytes) {
      const message = `expected at most ${UPLOAD_LIMITS.bytes} bytes in ${path}, got more`;
      throw new CommandError('FILE_TOO_LARGE', message);
    }
    uploads.push(upload);
  }
  return { uploads, skipped: names.filter((name) => !isTaken(name)) };
}

/** Uploads what the vessel does not have with the same bytes. @returns how many files that were. */
export async function uploadNew(context: Context, target: Target, uploads: readonly Upload[]): Promise<number> {
  const present = new Map((await filesOf(context, target)).map(({ name, sha256 }) => [name, sha256]));
  const fresh = uploads.filter(({ name, bytes }) => present.get(name) !== digest(bytes));
  for (const { name, bytes } of fresh) {
    const params = { vessel: target.vessel, name };
    await ask(context, target, { method: 'AddFileToVessel', params, attachment: bytes });
  }
  return fresh.length;
}

export async function filesOf(context: Context, { vessel, ...target }: Target) {
  return (await ask(context, target, { method: 'ListFilesInVessel', params: { vessel } })).result.files;
}
