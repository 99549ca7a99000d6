import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { VesselError } from '../errors.ts';

const AT_PAGESZ = 6n;
const buffer = Buffer.alloc(256);

/**
 * What the kernel says of one process, read through descriptors that are kept: five times cheaper than opening the
 * files each time, and after its death they fail instead of speaking of another process with the same id.
 */
export class ProcessMeter {
  readonly #pid: number;
  readonly #statm: number;
  readonly #threads = new Map<string, { fd: number; ns: number }>();
  /** Of threads that have ended. */
  #goneNs = 0;

  /** @throws when the process is gone or there is no /proc. */
  constructor(pid: number) {
    this.#pid = pid;
    this.#statm = openSync(`/proc/${pid}/statm`, 'r');
    try {
      this.refreshThreads();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Threads come and go seldom. @throws when the process is gone. */
  refreshThreads(): void {
    const names = new Set(readdirSync(`/proc/${this.#pid}/task`));
    for (const name of names) {
      if (!this.#threads.has(name)) this.#openThread(name);
    }
    for (const name of this.#threads.keys()) {
      if (!names.has(name)) this.#forgetThread(name);
    }
  }

  /** @returns nanoseconds of CPU of the main thread alone; a cheap look whether anything happens. */
  mainThreadNs(): number {
    return this.#readThread(String(this.#pid));
  }

  /** @returns nanoseconds of CPU of all threads, since the process began. */
  cpuNs(): number {
    let total = this.#goneNs;
    for (const name of [...this.#threads.keys()]) total += this.#readThread(name);
    return total;
  }

  /** @returns bytes in memory that are its own, not pages of files that it shares. @throws when the process is gone. */
  ownBytes(): number {
    const [, resident = 0, shared = 0] = this.#statmPages();
    return (resident - shared) * pageBytes();
  }

  /** @returns bytes of writable memory of its own, used or only reserved: what RLIMIT_DATA counts, and the stack. */
  dataBytes(): number {
    return (this.#statmPages()[5] ?? 0) * pageBytes();
  }

  close(): void {
    closeSync(this.#statm);
    for (const { fd } of this.#threads.values()) closeSync(fd);
    this.#threads.clear();
  }

  /** Of proc_pid_statm(5): size, resident, shared, text, nothing, data and stack. */
  #statmPages(): number[] {
    const pages = read(this.#statm).split(' ').map(Number);
    // Dead and not yet buried: it has no memory any more, and what it had last is what is wanted.
    if (pages[0] === 0) throw new VesselError('ENDED_EARLY', 'expected a living process, got one without memory');
    return pages;
  }

  #openThread(name: string): void {
    try {
      this.#threads.set(name, { fd: openSync(`/proc/${this.#pid}/task/${name}/schedstat`, 'r'), ns: 0 });
    } catch {
      // It ended between the listing and now.
    }
  }

  #readThread(name: string): number {
    const thread = this.#threads.get(name);
    if (thread === undefined) return 0;
    try {
      thread.ns = Number(read(thread.fd).split(' ')[0]);
    } catch {
      // The thread is gone; what it used by its last reading still counts.
    }
    return thread.ns;
  }

  #forgetThread(name: string): void {
    const thread = this.#threads.get(name);
    if (thread === undefined) return;
    this.#goneNs += thread.ns;
    closeSync(thread.fd);
    this.#threads.delete(name);
  }
}

/** @returns whether this machine tells what `ProcessMeter` needs. */
export function hasProc(): boolean {
  try {
    new ProcessMeter(process.pid).close();
    return true;
  } catch {
    return false;
  }
}

function read(fd: number): string {
  return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0));
}

let knownPageBytes: number | undefined;

/** From the auxiliary vector, as pairs of 64-bit words: Node has no call for it. */
function pageBytes(): number {
  if (knownPageBytes !== undefined) return knownPageBytes;
  const words = readFileSync('/proc/self/auxv');
  const word = (at: number) => (endianness() === 'LE' ? words.readBigUInt64LE(at) : words.readBigUInt64BE(at));
  for (let at = 0; at + 16 <= words.length; at += 16) {
    if (word(at) === AT_PAGESZ) knownPageBytes = Number(word(at + 8));
  }
  knownPageBytes ??= 4096;
  return knownPageBytes;
}
