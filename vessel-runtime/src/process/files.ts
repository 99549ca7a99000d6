import { CALL_LIMITS } from '@potluck/repy-api';
import { fileCost } from '../cost.ts';
import { Lane } from '../lane.ts';
import type { Answer, Call } from './calls.ts';
import { CallFailure } from './failure.ts';
import type { World } from './world.ts';

type Rate = 'fileread' | 'filewrite';

/** What one call to the node manager carries; more goes in several. */
const PIECE_BYTES = 1024 * 1024;
/** Room for the names of as many files as a vessel may have. */
const NAMES_BYTES = 256 * 1024;
/** Bytes that a program may hand over to be written before it awaits any of it. */
const MOST_UNWRITTEN_BYTES = 2 * CALL_LIMITS.fileBytes;

interface Opened {
  readonly name: string;
  /** Its calls, in the order of the program. */
  readonly lane: Lane;
}

export interface OpenInit {
  readonly create: boolean;
  /** Throws away what is in it. */
  readonly empty: boolean;
}

/** The open files of a program. The node manager has the files themselves and does the work on them. */
export class Files {
  readonly #world: World;
  readonly #open = new Map<number, Opened>();
  readonly #names = new Set<string>();
  readonly #lanes = { fileread: new Lane(), filewrite: new Lane() };
  #unwritten = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** @returns a handle. @throws CallFailure FileInUse, ResourceExhausted, FileNotFound */
  async open(name: string, { create, empty }: OpenInit): Promise<number> {
    this.#notInUse(name);
    const { meter } = this.#world;
    meter.acquire('filesopened');
    this.#names.add(name);
    try {
      const call = { operation: 'openfile', arguments: [name, create, empty] };
      const { value } = await this.#paced('fileread', call, () => fileCost(0, 0));
      if (value === true) meter.add('filewrite', fileCost(0, 0));
    } catch (error) {
      this.#free(name);
      throw error;
    }
    const handle = this.#world.number();
    this.#open.set(handle, { name, lane: new Lane() });
    return handle;
  }

  /** No call on it is taken any more; those that were are carried out, and then it is free. @throws CallFailure FileClosed */
  async close(handle: number): Promise<void> {
    const { name, lane } = this.#opened(handle);
    this.#open.delete(handle);
    if (!lane.idle) await lane.settled();
    this.#free(name);
  }

  /** Runs what belongs together on one file. @throws CallFailure FileClosed */
  alone<T>(handle: number, task: (name: string) => Promise<T>): Promise<T> {
    const { name, lane } = this.#opened(handle);
    return lane.run(() => task(name));
  }

  /**
   * For use within `alone`.
   * @param most bytes; without it all that there are. @returns the bytes from `offset`, and whether the file ends there.
   * @throws CallFailure SeekPastEndOfFile, FileNotFound, ResourceExhausted
   */
  async read(name: string, offset: number, most?: number): Promise<{ bytes: Buffer; end: boolean }> {
    needPlace(offset);
    const pieces: Uint8Array[] = [];
    const limit = Math.min(most ?? Number.POSITIVE_INFINITY, CALL_LIMITS.fileBytes);
    let filled = 0;
    let end = false;
    do {
      const room = Math.min(PIECE_BYTES, limit - filled);
      const at = offset + filled;
      const call = { operation: 'readat', arguments: [name, at], room };
      const { value, attachment } = await this.#paced('fileread', call, (answer) =>
        fileCost(at, answer.attachment.byteLength),
      );
      pieces.push(attachment);
      filled += attachment.byteLength;
      end = value === true;
    } while (!end && filled < limit);
    if (end || (most !== undefined && filled >= most)) return { bytes: joined(pieces), end };
    const message = `expected at most ${limit} bytes in one read, got a file with more: read it in parts`;
    throw new CallFailure('ResourceExhaustedError', message);
  }

  /**
   * For use within `alone`.
   * @param offset where; null for the end of the file. @returns the offset behind what was written.
   * @throws CallFailure SeekPastEndOfFile, FileNotFound, ResourceExhausted
   */
  async write(name: string, offset: number | null, bytes: Uint8Array): Promise<number> {
    if (offset !== null) needPlace(offset);
    let at = offset;
    let written = 0;
    do {
      const attachment = bytes.subarray(written, written + PIECE_BYTES);
      const length = attachment.byteLength;
      const call = { operation: 'writeat', arguments: [name, at], attachment };
      const { value } = await this.#paced('filewrite', call, (answer) =>
        fileCost(Number(answer.value) - length, length),
      );
      at = Number(value);
      written += length;
    } while (written < bytes.byteLength);
    return at;
  }

  /** For use within `alone`. @throws CallFailure FileNotFound */
  async size(name: string): Promise<number> {
    const { value } = await this.#paced('fileread', { operation: 'filesize', arguments: [name] }, () => fileCost(0, 0));
    return Number(value);
  }

  /** Counts what waits to be written, and takes no more than is reasonable. @throws CallFailure ResourceExhausted */
  async holding<T>(bytes: Uint8Array, write: () => Promise<T>): Promise<T> {
    const held = bytes.byteLength;
    if (this.#unwritten + held > MOST_UNWRITTEN_BYTES) {
      const message = `expected writes to be awaited, got ${this.#unwritten} bytes waiting to be written`;
      throw new CallFailure('ResourceExhaustedError', message);
    }
    this.#unwritten += held;
    try {
      return await write();
    } finally {
      this.#unwritten -= held;
    }
  }

  /** @returns the names as JSON. */
  async list(): Promise<string> {
    const call = { operation: 'listfiles', arguments: [], room: NAMES_BYTES };
    const { attachment } = await this.#paced('fileread', call, () => fileCost(0, 0));
    return Buffer.from(attachment).toString();
  }

  /** @throws CallFailure FileInUse, FileNotFound */
  async remove(name: string): Promise<void> {
    this.#notInUse(name);
    // Until it is gone, nobody may open it.
    this.#names.add(name);
    try {
      await this.#paced('fileread', { operation: 'removefile', arguments: [name] }, () => fileCost(0, 0));
      this.#world.meter.add('filewrite', fileCost(0, 0));
    } finally {
      this.#names.delete(name);
    }
  }

  #notInUse(name: string): void {
    if (!this.#names.has(name)) return;
    throw new CallFailure('FileInUseError', `expected a file that is not in use, got "${name}", which is`);
  }

  #free(name: string): void {
    this.#names.delete(name);
    this.#world.meter.release('filesopened');
  }

  #opened(handle: number): Opened {
    const opened = this.#open.get(handle);
    if (opened !== undefined) return opened;
    throw new CallFailure('FileClosedError', 'expected an open file, got one that was closed');
  }

  /** Makes a call when the rate allows it, and charges what it cost; one at a time for each rate. */
  #paced(rate: Rate, call: Call, costOf: (answer: Answer) => number): Promise<Answer> {
    return this.#lanes[rate].run(async () => {
      const { meter, calls } = this.#world;
      for (let waitMs = meter.waitMs(rate); waitMs > 0; waitMs = meter.waitMs(rate)) await delay(waitMs);
      try {
        const answer = await calls.call(call);
        meter.add(rate, costOf(answer));
        return answer;
      } catch (error) {
        // To look for a file that is not there costs as much as to find it.
        if (error instanceof CallFailure && error.code === 'FileNotFoundError') meter.add(rate, fileCost(0, 0));
        throw error;
      }
    });
  }
}

/** The node manager takes any other for the work of a process that was taken over. */
function needPlace(offset: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0) return;
  throw new CallFailure('RepyArgumentError', `expected a position in the file, got ${offset}`);
}

function joined(pieces: readonly Uint8Array[]): Buffer {
  const [first = new Uint8Array(), ...more] = pieces;
  if (more.length > 0) return Buffer.concat(pieces);
  return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
}

/** Not the one of `node:timers/promises`: it would be loaded into every vessel. */
function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.ceil(ms)));
}
