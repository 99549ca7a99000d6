import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type ArchiveFile, writeArchive } from './archive.ts';
import { makeDirectories } from './directories.ts';
import { BuildError } from './errors.ts';
import { collectPayload } from './payload.ts';

export interface BuiltPayload {
  /** Absolute path of the archive. */
  readonly path: string;
  readonly sizeBytes: number;
  /** False when the archive that was there already holds the same parts. */
  readonly rebuilt: boolean;
}

/** Changes when the same parts give another archive: when `writeArchive` or the layout changes. */
const FORMAT = 'potluck-payload-1';

/**
 * Builds the archive that all donors share, for this machine's platform: a gzip'd tar file without its end, so that a
 * donor's own part can follow as another gzip member. The file appears at once or not at all; `out`.key beside it holds
 * the hash of its parts and its size, and nothing is packed when they have not changed.
 * @throws BuildError BUNDLE_FAILED, PART_MISSING, WRITE_FAILED
 */
export async function buildPayload(out: string): Promise<BuiltPayload> {
  const path = resolve(out);
  const files = await collectPayload();
  const hash = await hashOf(files);
  const key = `${path}.key`;
  const current = await sizeOf(path);
  if (current !== undefined && (await readFile(key, 'utf8').catch(() => '')) === keyText(hash, current)) {
    return { path, sizeBytes: current, rebuilt: false };
  }
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await makeDirectories(dirname(path), 0o755);
    await writeArchive(temporary, files);
    await rm(key, { force: true });
    await rename(temporary, path);
    const sizeBytes = (await stat(path)).size;
    await writeFile(temporary, keyText(hash, sizeBytes));
    await rename(temporary, key);
    return { path, sizeBytes, rebuilt: true };
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof BuildError) throw cause;
    throw new BuildError('WRITE_FAILED', `expected to write the archive ${path}, could not`, { cause });
  }
}

function keyText(hash: string, sizeBytes: number): string {
  return `${hash} ${sizeBytes}\n`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

async function hashOf(files: readonly ArchiveFile[]): Promise<string> {
  const hash = createHash('sha256').update(FORMAT);
  for (const { path, mode, content } of files) {
    const size = Buffer.isBuffer(content) ? content.length : content.size;
    hash.update(`\n${path} ${mode} ${size}\n`);
    for await (const chunk of Buffer.isBuffer(content) ? [content] : createReadStream(content.file)) hash.update(chunk);
  }
  return hash.digest('hex');
}
