import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digest, type FileName, fileNameSchema, LIMITS, RequestError } from '@potluck/protocol';
import { codeOf, diskFull, isDiskFull } from './errors.ts';
import type { VesselPaths } from './paths.ts';

export interface FileInfo {
  readonly name: FileName;
  readonly size: number;
  /** SHA-256 in base64url. */
  readonly sha256: string;
}

interface Known {
  /** What changes when the file's bytes do. */
  readonly stamp: string;
  readonly sha256: string;
}

/** What each file costs beyond its bytes, as in Seattle. */
const FILE_COST_BYTES = 4096;
/** Never through a link, and never waiting for the other end of a named pipe. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** A vessel's files: flat, whole or not there at all, within the vessel's disk quota. Not for two calls at once. */
export class VesselFiles {
  readonly #paths: VesselPaths;
  readonly #quotaBytes: number;
  readonly #known = new Map<string, Known>();

  /** @param quotaBytes the vessel's `diskused`. */
  constructor(paths: VesselPaths, quotaBytes: number) {
    this.#paths = paths;
    this.#quotaBytes = quotaBytes;
  }

  /** Makes the directories, and removes what a crash left on its way in. */
  async start(): Promise<void> {
    await rm(this.#paths.incoming, { recursive: true, force: true });
    for (const path of [this.#paths.files, this.#paths.incoming]) await mkdir(path, { recursive: true, mode: 0o700 });
  }

  /**
   * Replaces a file of that name. When it returns, name and bytes are on the disk; when it throws, nothing has changed.
   * @throws RequestError BAD_ATTACHMENT, QUOTA_EXCEEDED, DISK_FULL
   */
  async add(name: FileName, bytes: Uint8Array): Promise<FileInfo> {
    if (bytes.byteLength > LIMITS.fileBytes) {
      const message = `expected a file of at most ${LIMITS.fileBytes} bytes, got ${bytes.byteLength}`;
      throw new RequestError('BAD_ATTACHMENT', message);
    }
    await this.#checkQuota(name, bytes.byteLength);
    const incoming = join(this.#paths.incoming, randomBytes(8).toString('hex'));
    try {
      await writeDurably(incoming, bytes);
      await rename(incoming, this.#pathOf(name));
      await syncDirectory(this.#paths.files);
    } catch (error) {
      await rm(incoming, { force: true });
      throw isDiskFull(error) ? diskFull(error) : error;
    }
    const sha256 = digest(bytes);
    this.#known.set(name, { stamp: (await this.#stat(name)).stamp, sha256 });
    return { name, size: bytes.byteLength, sha256 };
  }

  /** In the order of names. */
  async list(): Promise<FileInfo[]> {
    const files: FileInfo[] = [];
    for (const { name, size, stamp } of await this.#scan()) {
      const known = this.#known.get(name);
      const sha256 = known?.stamp === stamp ? known.sha256 : digest((await this.read(name)).bytes);
      this.#known.set(name, { stamp, sha256 });
      files.push({ name, size, sha256 });
    }
    return files;
  }

  /** @throws RequestError NO_SUCH_FILE */
  async read(name: FileName): Promise<FileInfo & { bytes: Buffer }> {
    const file = await open(this.#pathOf(name), READ).catch((cause: unknown) => {
      // ELOOP: the name is a link.
      if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ELOOP') throw noSuchFile(name);
      throw cause;
    });
    await using _ = file;
    if (!(await file.stat()).isFile()) throw noSuchFile(name);
    const bytes = await file.readFile();
    return { name, size: bytes.byteLength, sha256: digest(bytes), bytes };
  }

  /** @returns what counts against `diskused`. */
  async usedBytes(): Promise<number> {
    return (await this.#scan()).reduce((sum, { size }) => sum + size + FILE_COST_BYTES, 0);
  }

  async clear(): Promise<void> {
    await rm(this.#paths.files, { recursive: true, force: true });
    this.#known.clear();
    await this.start();
  }

  async #checkQuota(name: FileName, size: number): Promise<void> {
    const others = (await this.#scan()).filter((file) => file.name !== name);
    if (others.length >= LIMITS.filesPerVessel) {
      throw new RequestError('QUOTA_EXCEEDED', `expected at most ${LIMITS.filesPerVessel} files, got one more`);
    }
    const used = others.reduce((sum, file) => sum + file.size + FILE_COST_BYTES, 0) + size + FILE_COST_BYTES;
    if (used <= this.#quotaBytes) return;
    throw new RequestError(
      'QUOTA_EXCEEDED',
      `expected at most ${this.#quotaBytes} bytes in the vessel (each file counts ${FILE_COST_BYTES} more), got ${used}`,
      { details: { limit: this.#quotaBytes, used } },
    );
  }

  async #scan(): Promise<{ name: FileName; size: number; stamp: string }[]> {
    const names = (await readdir(this.#paths.files).catch(noneIfGone)).sort();
    const files = [];
    for (const name of names) {
      const parsed = fileNameSchema.safeParse(name);
      if (!parsed.success) continue;
      const stat = await this.#stat(parsed.data).catch(() => undefined);
      if (stat?.isFile) files.push({ name: parsed.data, size: stat.size, stamp: stat.stamp });
    }
    return files;
  }

  async #stat(name: FileName): Promise<{ isFile: boolean; size: number; stamp: string }> {
    const stat = await lstat(this.#pathOf(name), { bigint: true });
    return { isFile: stat.isFile(), size: Number(stat.size), stamp: `${stat.ino}:${stat.size}:${stat.ctimeNs}` };
  }

  /** A `FileName` has no slash and no leading dot, so this stays in the directory. */
  #pathOf(name: FileName): string {
    return join(this.#paths.files, name);
  }
}

/** A stranger may ask for the usage of a vessel that is being reset. */
function noneIfGone(error: unknown): string[] {
  if (codeOf(error) === 'ENOENT') return [];
  throw error;
}

function noSuchFile(name: string): RequestError {
  return new RequestError('NO_SUCH_FILE', `expected a file of the vessel, got "${name}", which is not there`);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(bytes);
  await file.sync();
}

/** Without it a crash of the machine may undo a rename that was already answered. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using directory: FileHandle = await open(path, 'r');
  await directory.sync();
}
