import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What was made, and of which files: absolute paths. */
export interface Made {
  readonly text: string;
  readonly files: readonly string[];
}

interface Kept {
  readonly text: string;
  /** SHA-256 of what was read, by path. */
  readonly sources: Readonly<Record<string, string>>;
}

/**
 * Keeps in `path` what was made, and takes it from there until one of the files that it was made of is another. So
 * whoever may write to `path` decides what is taken: it belongs beside the sources. Where it cannot be written, `make`
 * is asked each time.
 */
export async function kept(path: string, make: () => Promise<Made>): Promise<string> {
  const known = await read(path);
  if (known !== undefined && (await isOf(known))) return known.text;
  const begunAtMs = Date.now();
  const { text, files } = await make();
  const hashed = files.map(async (file) => [file, await hashOf(file)] as const);
  const sources = Object.fromEntries(await Promise.all(hashed));
  // What was written meanwhile may be in the hash and not in what was made.
  const isSame = (await Promise.all(files.map(writtenAt))).every((writtenAtMs) => writtenAtMs <= begunAtMs);
  if (isSame) await write(path, { text, sources }).catch(() => undefined);
  return text;
}

async function read(path: string): Promise<Kept | undefined> {
  try {
    // Nobody else writes it, and each is renamed into place as a whole.
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function isOf({ sources }: Kept): Promise<boolean> {
  const same = Object.entries(sources).map(async ([file, hash]) => (await hashOf(file)) === hash);
  return (await Promise.all(same)).every(Boolean);
}

/** @returns nothing of a file that is gone. */
async function hashOf(file: string): Promise<string> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes === undefined ? '' : createHash('sha256').update(bytes).digest('base64url');
}

/** @returns milliseconds, as `Date.now()`; 0 of a file that is gone. */
async function writtenAt(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
}

async function write(path: string, made: Kept): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeAtomically(path, JSON.stringify(made));
}

/** Two processes may build at the same time: each renames a whole file into place. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, text, { mode: 0o644 });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** In the repository that this file is in. */
export const KEPT_DIRECTORY: string = join(import.meta.dirname, '..', '..', '.potluck', 'built');
