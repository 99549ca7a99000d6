import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digest, type FileName, fileNameSchema, LIMITS, RequestError } from '@potluck/protocol';
import { Disk, DiskError, openPlain } from '@potluck/vessel-runtime';
import { diskFull, isDiskFull } from './errors.ts';
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

/** A piece of a file that is hashed: short enough that requests of others do not wait for it. */
const PIECE_BYTES = 256 * 1024;

/**
 * What the users of a vessel do with its files, on the same disk as its program: whole files, or none. Not for two
 * changes at once.
 */
export class VesselFiles {
  readonly disk: Disk;
  readonly #paths: VesselPaths;
  readonly #known = new Map<string, Known>();

  /** @param quotaBytes the vessel's `diskused`. */
  constructor(paths: VesselPaths, quotaBytes: number) {
    this.#paths = paths;
    this.disk = new Disk({ directory: paths.files, limitBytes: quotaBytes });
  }

  /** Makes the directories, and removes what a crash left on its way in. */
  async start(): Promise<void> {
    await rm(this.#paths.incoming, { recursive: true, force: true });
    await mkdir(this.#paths.incoming, { recursive: true, mode: 0o700 });
    await this.disk.count();
  }

  /**
   * Replaces a file of that name. When it returns, name and bytes are on the disk; when it throws, nothing has changed.
   * @throws RequestError BAD_ATTACHMENT, QUOTA_EXCEEDED, DISK_FULL
   */
  async add(name: FileName, bytes: Uint8Array): Promise<FileInfo> {
    const size = bytes.byteLength;
    if (size > LIMITS.fileBytes) throw tooLarge(size);
    const incoming = join(this.#paths.incoming, randomBytes(8).toString('hex'));
    const room = await this.disk.reserve(name, size).catch(refused);
    try {
      await writeDurably(incoming, bytes);
      await room.commit(incoming);
      await syncDirectory(this.#paths.files);
    } catch (error) {
      await rm(incoming, { force: true });
      throw isDiskFull(error) ? diskFull(error) : refused(error);
    } finally {
      room.release();
    }
    return { name, size, sha256: digest(bytes) };
  }

  /** In the order of names. */
  async list(): Promise<FileInfo[]> {
    await this.disk.count();
    const files: FileInfo[] = [];
    for (const name of this.disk.names) {
      const info = await this.disk.alone(() => this.#info(fileNameSchema.parse(name))).catch(goneMeanwhile);
      if (info !== undefined) files.push(info);
    }
    return files;
  }

  /** @throws RequestError NO_SUCH_FILE, BAD_ATTACHMENT it has grown beyond what a reply may carry */
  async read(name: FileName): Promise<FileInfo & { bytes: Buffer }> {
    const bytes = await this.disk.alone(async () => {
      await using file = await openPlain(this.disk.pathOf(name), constants.O_RDONLY).catch(refused);
      const { size } = await file.stat();
      if (size > LIMITS.fileBytes) throw tooLarge(size);
      return await file.readFile();
    });
    return { name, size: bytes.byteLength, sha256: digest(bytes), bytes };
  }

  /** When it returns, the name is gone from the disk. @throws RequestError NO_SUCH_FILE */
  async remove(name: FileName): Promise<void> {
    await this.disk.remove(name).catch(refused);
    this.#known.delete(name);
    await syncDirectory(this.#paths.files);
  }

  async clear(): Promise<void> {
    await this.disk.clear();
    this.#known.clear();
    await this.start();
  }

  /** @returns size and hash of one moment; the hash is made anew only when the file has changed. */
  async #info(name: FileName): Promise<FileInfo> {
    const path = this.disk.pathOf(name);
    const stat = await lstat(path, { bigint: true });
    const stamp = `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
    const known = this.#known.get(name);
    const sha256 = known?.stamp === stamp ? known.sha256 : await hashOf(path);
    this.#known.set(name, { stamp, sha256 });
    return { name, size: Number(stat.size), sha256 };
  }
}

async function hashOf(path: string): Promise<string> {
  await using file = await openPlain(path, constants.O_RDONLY);
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, piece.byteLength);
    if (bytesRead === 0) return hash.digest('base64url');
    hash.update(piece.subarray(0, bytesRead));
  }
}

function tooLarge(bytes: number): RequestError {
  return new RequestError('BAD_ATTACHMENT', `expected a file of at most ${LIMITS.fileBytes} bytes, got ${bytes}`);
}

const AS_REQUEST = {
  NO_SUCH_FILE: 'NO_SUCH_FILE',
  QUOTA_EXCEEDED: 'QUOTA_EXCEEDED',
  TOO_MANY_FILES: 'QUOTA_EXCEEDED',
  FULL: 'DISK_FULL',
} as const;

/** Says to a caller what the disk says. */
function refused(error: unknown): never {
  if (!(error instanceof DiskError) || error.code === 'PAST_END') throw error;
  throw new RequestError(AS_REQUEST[error.code], error.message, { details: error.details, cause: error });
}

/** A program may remove a file while it is being listed. */
function goneMeanwhile(error: unknown): undefined {
  const { code } = error as { code?: string };
  if (code !== 'NO_SUCH_FILE' && code !== 'ENOENT') throw error;
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
