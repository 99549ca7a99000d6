import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import { codeOf } from './errors.ts';

export interface LogRingInit {
  readonly newPath: string;
  readonly oldPath: string;
  /** Of each of the two files. */
  readonly limitBytes: number;
}

/** What a reader gets at once. All offsets count the bytes that were ever logged, also before the log was cleared. */
export interface LogChunk {
  /** Between where the reader was and `bytes`; they are kept no longer. */
  readonly droppedBytes: number;
  readonly bytes: Buffer;
  /** Where to read on. */
  readonly next: number;
}

/** One of the two files. */
interface Part {
  readonly path: string;
  readonly headerBytes: number;
  /** Bytes that were logged before it. */
  readonly start: number;
  /** Bytes that had been logged when the log was cleared last. */
  readonly origin: number;
  length: number;
}

/** A file begins with a line of this length. */
const HEADER_BYTES = 64;
const headerSchema = z.object({ start: z.int().min(0), origin: z.int().min(0).default(0) });
const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0);
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);

/**
 * The end of a log in two files: when the newer is full it becomes the older, whose bytes are dropped. The first line of
 * each says how much was logged before it, so the count is right after any crash.
 *
 * Writing is synchronous: whoever logs too fast waits, and nothing piles up in memory. A log that cannot be written (a
 * full disk) loses bytes, counts them, and harms nothing else. Readers have no part in it: they keep their own place and
 * read when they can.
 */
export class LogRing {
  readonly #init: LogRingInit;
  readonly #watchers = new Set<() => void>();
  #file: number | undefined;
  #old: Part | undefined;
  #current: Part | undefined;
  #end = 0;
  #origin = 0;

  constructor(init: LogRingInit) {
    this.#init = init;
  }

  /** Finds where the log was left, and keeps nothing open. */
  start(): void {
    this.#old = partAt(this.#init.oldPath);
    this.#current = partAt(this.#init.newPath);
    // One that cannot be read would be renamed over the older file, which can.
    if (this.#current === undefined) rmSync(this.#init.newPath, { force: true });
    const last = this.#current ?? this.#old;
    this.#end = last === undefined ? 0 : last.start + last.length;
    this.#origin = last?.origin ?? 0;
  }

  /** Bytes that were ever logged. */
  get end(): number {
    return this.#end;
  }

  /** What had been logged when it was cleared last. */
  get origin(): number {
    return this.#origin;
  }

  append(text: string): void {
    for (const piece of pieces(Buffer.from(text), this.#init.limitBytes)) this.#appendPiece(piece);
    for (const wake of this.#watchers) wake();
  }

  /** @param wake is called after each `append`. @returns what ends that. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => this.#watchers.delete(wake);
  }

  /** All that is kept from an offset on, or of the log since it was cleared; `droppedBytes` counts all gaps. */
  read(from = this.#origin): LogChunk {
    const chunks: Buffer[] = [];
    let droppedBytes = 0;
    let next = Math.min(from, this.#end);
    while (next < this.#end) {
      const chunk = this.chunk(next);
      chunks.push(chunk.bytes);
      droppedBytes += chunk.droppedBytes;
      next = chunk.next;
    }
    return { bytes: Buffer.concat(chunks), droppedBytes, next };
  }

  /** What is kept behind an offset without a gap, up to another offset. */
  chunk(from: number, { until = this.#end, mostBytes = this.#init.limitBytes } = {}): LogChunk {
    for (const part of [this.#old, this.#current]) {
      if (part === undefined || from >= part.start + part.length) continue;
      const start = Math.max(from, part.start);
      if (start >= until) break;
      const length = Math.min(part.start + part.length - start, until - start, mostBytes);
      const bytes = readPart(part, start - part.start, length);
      if (bytes !== undefined) return { droppedBytes: start - from, bytes, next: start + length };
      return { droppedBytes: start + length - from, bytes: Buffer.alloc(0), next: start + length };
    }
    const next = Math.max(from, until);
    return { droppedBytes: next - from, bytes: Buffer.alloc(0), next };
  }

  /** Offsets go on, so that no reader takes the new log for the old one. */
  clear(): void {
    this.close();
    rmSync(this.#init.newPath, { force: true });
    rmSync(this.#init.oldPath, { force: true });
    this.#old = undefined;
    this.#current = undefined;
    this.#origin = this.#end;
    try {
      this.#rotate(this.#end);
    } catch (error) {
      if (codeOf(error) === undefined) throw error; // Not the system's: a bug of ours.
    }
    this.close();
  }

  /** The next `append` opens it again. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #appendPiece(piece: Buffer): void {
    const start = this.#end;
    // Counted first: what cannot be written is dropped, and said to be.
    this.#end += piece.length;
    try {
      const current = this.#fitting(start, piece.length) ?? this.#rotate(start);
      this.#file ??= openSync(current.path, APPEND, 0o600);
      writePiece(this.#file, current, piece);
    } catch (error) {
      if (codeOf(error) === undefined) throw error; // Not the system's: a bug of ours.
    }
  }

  /** The newer file, if it is not full and nothing was dropped since it was written. */
  #fitting(start: number, length: number): Part | undefined {
    const current = this.#current;
    if (current === undefined || current.start + current.length !== start) return undefined;
    return current.length + length > this.#init.limitBytes ? undefined : current;
  }

  #rotate(start: number): Part {
    this.close();
    try {
      renameSync(this.#init.newPath, this.#init.oldPath);
      this.#old = this.#current && { ...this.#current, path: this.#init.oldPath };
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    this.#current = undefined;
    this.#file = openSync(this.#init.newPath, APPEND, 0o600);
    const header = { start, origin: this.#origin };
    try {
      writeWhole(this.#file, Buffer.from(`${JSON.stringify(header).padEnd(HEADER_BYTES - 1)}\n`));
    } catch (error) {
      this.close();
      rmSync(this.#init.newPath, { force: true }); // Else the next try would rename it over what is kept.
      throw error;
    }
    this.#current = { ...header, path: this.#init.newPath, headerBytes: HEADER_BYTES, length: 0 };
    return this.#current;
  }
}

function writePiece(file: number, part: Part, piece: Buffer): void {
  try {
    writeWhole(file, piece);
    part.length += piece.length;
  } catch (error) {
    ftruncateSync(file, part.headerBytes + part.length); // No half characters.
    throw error;
  }
}

function partAt(path: string): Part | undefined {
  return withFile(path, (file) => {
    const first = Buffer.alloc(HEADER_BYTES);
    const line = first.toString('latin1', 0, readSync(file, first, 0, HEADER_BYTES, 0));
    const headerBytes = line.indexOf('\n') + 1; // 32 in the files of earlier versions.
    const header = headerSchema.parse(JSON.parse(line.slice(0, headerBytes)));
    return { ...header, path, headerBytes, length: fstatSync(file).size - headerBytes };
  });
}

/** @returns undefined when the file does not have them any more. */
function readPart({ path, headerBytes }: Part, offset: number, length: number): Buffer | undefined {
  return withFile(path, (file) => {
    const bytes = Buffer.allocUnsafe(length);
    return readSync(file, bytes, 0, length, headerBytes + offset) === length ? bytes : undefined;
  });
}

/** @returns undefined for a file that is not there, or whose header was not written whole: nothing of it was ever kept. */
function withFile<T>(path: string, read: (file: number) => T): T | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, READ);
    return read(file);
  } catch {
    return undefined;
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
