import { lstat, mkdir, readdir, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileNameSchema, LIMITS } from '@potluck/protocol';
import { DiskError } from '../errors.ts';
import { Lane } from '../lane.ts';
import { Descriptors, isPlain } from './descriptors.ts';

/** What each file costs beyond its bytes, as in Seattle. */
export const FILE_COST_BYTES = 4096;

/** How the names of the node's own files start: nobody else sees them, and they count for nothing. */
const PRIVATE = 'private_';

export interface DiskInit {
  /** Made when it is not there. Nobody else writes there. */
  readonly directory: string;
  /** The vessel's `diskused`. */
  readonly limitBytes: number;
}

/** Room that was set aside for a file on its way in: no other one gets it, but the program's own calls come first. */
export interface Reservation {
  /** Moves the file that was written elsewhere to its name. @throws DiskError QUOTA_EXCEEDED, TOO_MANY_FILES */
  commit(path: string): Promise<void>;
  /** Gives the room back; to be called in any case. */
  release(): void;
}

/**
 * A vessel's directory of files, flat, and the one count of what they take: their bytes, and `FILE_COST_BYTES` for each.
 * What would pass the limit is refused before anything is written. One call is carried out after the other, so the count
 * is exact, and nothing here is ever read, written or removed through a link.
 */
export class Disk {
  readonly #init: DiskInit;
  readonly #descriptors: Descriptors;
  readonly #lane = new Lane();
  /** Bytes of each file. */
  #sizes = new Map<string, number>();
  #bytes = 0;
  #reserved = 0;
  /** Called when what is used has changed. */
  onUse: () => void = () => {};

  constructor(init: DiskInit) {
    this.#init = init;
    this.#descriptors = new Descriptors((name) => this.pathOf(name));
  }

  get limitBytes(): number {
    return this.#init.limitBytes;
  }

  /** What counts against `diskused`. */
  get usedBytes(): number {
    return this.#bytes + this.#sizes.size * FILE_COST_BYTES;
  }

  /** In the order of names. */
  get names(): string[] {
    return [...this.#sizes.keys()].sort();
  }

  has(name: string): boolean {
    return this.#sizes.has(name);
  }

  /** A file name has no slash and no leading dot, so this stays in the directory. */
  pathOf(name: string): string {
    return join(this.#init.directory, name);
  }

  /** Makes the directory if need be, and counts what is there; again, when something else may have been at it. */
  count(): Promise<void> {
    return this.#lane.run(() => this.#count());
  }

  /** Runs something that must not meet a change of the files. */
  alone<T>(task: () => Promise<T>): Promise<T> {
    return this.#lane.run(task);
  }

  /** Closes what is open, for a time in which nobody uses it. */
  rest(): Promise<void> {
    return this.#lane.run(() => this.#descriptors.clear());
  }

  /** Removes all but the node's own files. */
  clear(): Promise<void> {
    return this.#lane.run(async () => {
      await this.#descriptors.clear();
      const { directory } = this.#init;
      const isDirectory = (await lstat(directory).catch(() => undefined))?.isDirectory() === true;
      const names = isDirectory ? await readdir(directory) : [];
      const gone = names.filter((name) => !name.startsWith(PRIVATE)).map((name) => this.pathOf(name));
      for (const path of isDirectory ? gone : [directory]) await rm(path, { recursive: true, force: true });
      await this.#count();
    });
  }

  /**
   * Makes sure that a file is there.
   * @returns whether it was made or emptied. @throws DiskError NO_SUCH_FILE, QUOTA_EXCEEDED, TOO_MANY_FILES, FULL
   */
  open(name: string, { create, empty }: { create: boolean; empty: boolean }): Promise<boolean> {
    return this.#lane.run(async () => {
      const size = this.#sizes.get(name);
      if (size === undefined && !create) throw noSuchFile(name);
      if (size === undefined) return await this.#create(name);
      const file = await this.#descriptors.get(name).catch((error) => this.#lost(name, error));
      if (!empty) return false;
      await file.truncate(0);
      this.#set(name, 0);
      return true;
    });
  }

  /** @returns at most `bytes` from there, and whether the file ends with them. @throws DiskError NO_SUCH_FILE, PAST_END */
  read(name: string, offset: number, bytes: number): Promise<{ bytes: Uint8Array; end: boolean }> {
    return this.#lane.run(async () => {
      const size = this.#sizeAt(name, offset);
      const length = Math.min(bytes, size - offset);
      const buffer = Buffer.allocUnsafe(length);
      const file = await this.#descriptors.get(name).catch((error) => this.#lost(name, error));
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return { bytes: buffer.subarray(0, filled), end: filled < length || offset + length === size };
    });
  }

  /** @throws DiskError NO_SUCH_FILE */
  size(name: string): Promise<number> {
    return this.#lane.run(async () => this.#sizeAt(name, 0));
  }

  /**
   * Writes all or, when it fails, adds nothing.
   * @param place where; null for the end of the file. @returns the offset behind what was written.
   * @throws DiskError NO_SUCH_FILE, PAST_END, QUOTA_EXCEEDED, FULL
   */
  write(name: string, place: number | null, bytes: Uint8Array): Promise<number> {
    return this.#lane.run(async () => {
      const size = this.#sizeAt(name, place ?? 0);
      const offset = place ?? size;
      const end = Math.max(size, offset + bytes.byteLength);
      this.#need(end - size);
      const file = await this.#descriptors.get(name).catch((error) => this.#lost(name, error));
      try {
        for (let at = 0; at < bytes.byteLength; ) {
          at += (await file.write(bytes, at, bytes.byteLength - at, offset + at)).bytesWritten;
        }
      } catch (error) {
        await file.truncate(size).catch(() => this.#count());
        throw fullOr(error);
      }
      if (end !== size) this.#set(name, end);
      return offset + bytes.byteLength;
    });
  }

  /** @throws DiskError NO_SUCH_FILE */
  remove(name: string): Promise<void> {
    return this.#lane.run(async () => {
      if (!this.#sizes.has(name)) throw noSuchFile(name);
      await this.#descriptors.drop(name);
      await unlink(this.pathOf(name)).catch((error) => this.#lost(name, error));
      this.#forget(name);
    });
  }

  /** Sets room aside for a new file, or for another in its place. @throws DiskError QUOTA_EXCEEDED, TOO_MANY_FILES */
  async reserve(name: string, bytes: number): Promise<Reservation> {
    let held = await this.#lane.run(async () => {
      await this.#count();
      const more = this.#needFile(name, bytes, this.#reserved);
      this.#reserved += more;
      return more;
    });
    const release = () => {
      this.#reserved -= held;
      held = 0;
    };
    const commit = (path: string) =>
      this.#lane.run(async () => {
        release();
        // It may have been written to, or removed, and what was set aside may have been taken, meanwhile.
        this.#needFile(name, bytes);
        await this.#descriptors.drop(name);
        await rename(path, this.pathOf(name));
        this.#set(name, bytes);
      });
    return { commit, release };
  }

  /** @param reserved for others. @returns bytes that it would take beyond what is used now. */
  #needFile(name: string, bytes: number, reserved = 0): number {
    const present = this.#sizes.get(name);
    if (present === undefined && this.#sizes.size >= LIMITS.filesPerVessel) {
      throw new DiskError('TOO_MANY_FILES', `expected at most ${LIMITS.filesPerVessel} files, got one more`);
    }
    const more = present === undefined ? bytes + FILE_COST_BYTES : bytes - present;
    this.#need(more, reserved);
    return Math.max(0, more);
  }

  #need(more: number, reserved = 0): void {
    const used = this.usedBytes + reserved + more;
    if (more <= 0 || used <= this.limitBytes) return;
    const details = { limit: this.limitBytes, used };
    const message = `expected at most ${this.limitBytes} bytes in the vessel (each file counts ${FILE_COST_BYTES} more), got ${used}`;
    throw new DiskError('QUOTA_EXCEEDED', message, { details });
  }

  async #create(name: string): Promise<boolean> {
    this.#needFile(name, 0);
    try {
      await this.#descriptors.create(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
        throw new DiskError('NO_SUCH_FILE', `expected a file or nothing at "${name}", got something else`);
      }
      throw fullOr(error);
    }
    this.#set(name, 0);
    return true;
  }

  #sizeAt(name: string, offset: number): number {
    const size = this.#sizes.get(name);
    if (size === undefined) throw noSuchFile(name);
    if (offset <= size) return size;
    throw new DiskError('PAST_END', `expected an offset of at most ${size}, where the file ends, got ${offset}`);
  }

  /** What was a file is none any more: it was taken away from outside. */
  #lost(name: string, error: unknown): never {
    const { code } = error as { code?: string };
    if (code !== 'NO_SUCH_FILE' && code !== 'ENOENT') throw error;
    this.#forget(name);
    throw noSuchFile(name);
  }

  async #count(): Promise<void> {
    await mkdir(this.#init.directory, { recursive: true, mode: 0o700 });
    const sizes = new Map<string, number>();
    for (const name of await readdir(this.#init.directory)) {
      if (!fileNameSchema.safeParse(name).success) continue;
      const stat = await lstat(this.pathOf(name)).catch(() => undefined);
      if (stat !== undefined && isPlain(stat)) sizes.set(name, stat.size);
    }
    this.#sizes = sizes;
    this.#bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    this.onUse();
  }

  #set(name: string, size: number): void {
    this.#bytes += size - (this.#sizes.get(name) ?? 0);
    this.#sizes.set(name, size);
    this.onUse();
  }

  #forget(name: string): void {
    this.#bytes -= this.#sizes.get(name) ?? 0;
    this.#sizes.delete(name);
    this.onUse();
  }
}

function noSuchFile(name: string): DiskError {
  return new DiskError('NO_SUCH_FILE', `expected a file of the vessel, got "${name}", which is not there`);
}

/** The disk of the machine, which is not the vessel's own limit. */
function fullOr(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new DiskError('FULL', "expected room on the node's disk, got none: the donor's disk is full", {
    cause: error,
  });
}
