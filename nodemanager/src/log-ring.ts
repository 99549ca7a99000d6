import { closeSync, constants, ftruncateSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { codeOf } from './errors.ts';

export interface LogRingInit {
  readonly newPath: string;
  readonly oldPath: string;
  /** Of each of the two files. */
  readonly limitBytes: number;
}

interface Part {
  /** Bytes that were logged before this part. */
  readonly start: number;
  readonly bytes: Buffer;
}

const HEADER_BYTES = 32;
const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0);
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/**
 * The end of a log in two files: when the newer is full it becomes the older, whose bytes are dropped. The first line of
 * each says how much was logged before it, so the count is right after any crash.
 *
 * Writing is synchronous: whoever logs too fast waits, and nothing piles up in memory. A log that cannot be written (a
 * full disk) loses bytes, counts them, and harms nothing else.
 */
export class LogRing {
  readonly #init: LogRingInit;
  #file: number | undefined;
  /** Bytes in the newer file, without its header. */
  #length = 0;
  /** Bytes that were ever logged. */
  #end = 0;

  constructor(init: LogRingInit) {
    this.#init = init;
  }

  /** Finds where the log was left, and keeps nothing open. */
  start(): void {
    const { old, current } = this.#parts();
    const last = current ?? old;
    // One that cannot be read would be renamed over the older file, which can.
    if (current === undefined) rmSync(this.#init.newPath, { force: true });
    this.#end = last === undefined ? 0 : last.start + last.bytes.length;
    this.#length = current?.bytes.length ?? this.#init.limitBytes;
  }

  append(text: string): void {
    for (const piece of pieces(Buffer.from(text), this.#init.limitBytes)) this.#appendPiece(piece);
  }

  /** @returns the kept end, and how many bytes are no longer kept. */
  read(): { bytes: Buffer; droppedBytes: number } {
    const { old, current } = this.#parts();
    const bytes = Buffer.concat([old?.bytes ?? Buffer.alloc(0), current?.bytes ?? Buffer.alloc(0)]);
    return { bytes, droppedBytes: this.#end - bytes.length };
  }

  clear(): void {
    this.close();
    rmSync(this.#init.newPath, { force: true });
    rmSync(this.#init.oldPath, { force: true });
    this.start();
  }

  /** The next `append` opens it again. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #appendPiece(piece: Buffer): void {
    // Counted first: what cannot be written is dropped, and said to be.
    this.#end += piece.length;
    try {
      if (this.#length + piece.length > this.#init.limitBytes) this.#rotate(this.#end - piece.length);
      this.#file ??= openSync(this.#init.newPath, APPEND, 0o600);
      this.#writePiece(this.#file, piece);
    } catch (error) {
      if (codeOf(error) === undefined) throw error; // Not the system's: a bug of ours.
    }
  }

  #writePiece(file: number, piece: Buffer): void {
    try {
      writeWhole(file, piece);
      this.#length += piece.length;
    } catch (error) {
      ftruncateSync(file, HEADER_BYTES + this.#length); // No half characters.
      throw error;
    }
  }

  #rotate(start: number): void {
    this.close();
    this.#length = this.#init.limitBytes; // Until the new file stands, the next piece tries again.
    try {
      renameSync(this.#init.newPath, this.#init.oldPath);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    this.#file = openSync(this.#init.newPath, APPEND, 0o600);
    try {
      writeWhole(this.#file, Buffer.from(`${JSON.stringify({ start }).padEnd(HEADER_BYTES - 1)}\n`));
    } catch (error) {
      this.close();
      rmSync(this.#init.newPath, { force: true }); // Else the next try would rename it over what is kept.
      throw error;
    }
    this.#length = 0;
  }

  #parts(): { old: Part | undefined; current: Part | undefined } {
    return { old: readPart(this.#init.oldPath), current: readPart(this.#init.newPath) };
  }
}

function readPart(path: string): Part | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, READ);
    const bytes = readFileSync(file);
    const header: unknown = JSON.parse(bytes.toString('latin1', 0, HEADER_BYTES));
    if (typeof header !== 'object' || header === null || !('start' in header)) return undefined;
    return { start: Number(header.start), bytes: bytes.subarray(HEADER_BYTES) };
  } catch {
    return undefined; // Not there, or its header was not written whole: nothing of it was ever kept.
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  let written = 0;
  while (written < bytes.length) written += writeSync(file, bytes, written);
}

/** Cut between characters, so that what is kept is always UTF-8. */
function* pieces(bytes: Buffer, limitBytes: number): Generator<Buffer> {
  let from = 0;
  while (from < bytes.length) {
    let to = Math.min(from + limitBytes, bytes.length);
    while (to < bytes.length && ((bytes[to] ?? 0) & 0xc0) === 0x80) to -= 1;
    yield bytes.subarray(from, to);
    from = to;
  }
}
