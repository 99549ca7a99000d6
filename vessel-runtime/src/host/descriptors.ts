import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { DiskError } from '../errors.ts';

/** Open at once for one vessel; others are opened again when they are needed. */
const MOST_OPEN = 8;
/** Never through a link, and never waiting for the other end of a named pipe. */
const SAFELY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const PRIVATE = 0o600;

/** @returns whether it is a plain file under one name only: another name might be another's file. */
export function isPlain(stat: { isFile(): boolean; nlink: number | bigint }): boolean {
  return stat.isFile() && Number(stat.nlink) === 1;
}

/**
 * Opens an existing file, never a link, a pipe, a device or a directory.
 * @throws DiskError NO_SUCH_FILE
 */
export async function openPlain(path: string, flags: number): Promise<FileHandle> {
  // Looked at before it is opened, because opening a device may do something; and after, because it may have changed.
  const before = await lstat(path).catch(() => undefined);
  if (before === undefined || !isPlain(before)) throw notPlain();
  const file = await open(path, flags | SAFELY).catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException).code;
    throw code === 'ENOENT' || code === 'ELOOP' || code === 'ENXIO' ? notPlain() : cause;
  });
  const after = await file.stat();
  if (isPlain(after) && after.ino === before.ino) return file;
  await file.close();
  throw notPlain();
}

function notPlain(): DiskError {
  return new DiskError('NO_SUCH_FILE', 'expected a file of the vessel, got a name that is not there or no file');
}

/** The descriptors of a vessel's files that were used last. Not for two calls at once. */
export class Descriptors {
  readonly #pathOf: (name: string) => string;
  /** In the order of their use. */
  readonly #open = new Map<string, FileHandle>();

  constructor(pathOf: (name: string) => string) {
    this.#pathOf = pathOf;
  }

  /** For reading and writing. @throws DiskError NO_SUCH_FILE */
  async get(name: string): Promise<FileHandle> {
    const known = this.#open.get(name);
    if (known !== undefined) {
      this.#open.delete(name);
      this.#open.set(name, known);
      return known;
    }
    return await this.#keep(name, await openPlain(this.#pathOf(name), constants.O_RDWR));
  }

  /** Makes a file that is not there. @throws the system's EEXIST when something is. */
  async create(name: string): Promise<FileHandle> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | SAFELY;
    return await this.#keep(name, await open(this.#pathOf(name), flags, PRIVATE));
  }

  async drop(name: string): Promise<void> {
    const file = this.#open.get(name);
    this.#open.delete(name);
    await file?.close();
  }

  async clear(): Promise<void> {
    for (const name of [...this.#open.keys()]) await this.drop(name);
  }

  async #keep(name: string, file: FileHandle): Promise<FileHandle> {
    this.#open.set(name, file);
    const [oldest] = this.#open.keys();
    if (this.#open.size > MOST_OPEN && oldest !== undefined) await this.drop(oldest);
    return file;
  }
}
