import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { childPidOf } from './bubblewrap.ts';
import { giveWay, type Launched } from './launch.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** From the launcher's start to its word of which process is the vessel's Node; it takes a few. */
const NAMING_MS = 2000;

/** A shell's way to tell a signal by an exit code, which is bubblewrap's too. */
const SIGNALLED = 128;

/** Not killed one by one: without a death signal from the system this is what is left when we exit. */
const living = new Set<VesselChild>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** The vessel's Node as a child of ours, or as a child of the bubblewrap that is one. */
export class VesselChild {
  /** Resolves when `pid` is that of the vessel's Node, which is before its first frame; never, if it dies before. */
  readonly known: Promise<void>;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #info: Readable | undefined;
  #inner: number | undefined;
  #doomed = false;

  constructor({ child, info }: Launched, nice: number | undefined) {
    this.#child = child;
    this.#info = info;
    this.known = info === undefined ? Promise.resolve() : this.#learn(info, nice);
    living.add(this);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        living.delete(this);
        resolve(info === undefined ? { code, signal } : unwrapped({ code, signal }));
      });
    });
  }

  /** The node's, or its launcher's as long as nothing else is known. */
  get pid(): number {
    return this.#inner ?? (this.#child.pid as number);
  }

  get stdio(): readonly (Readable | Writable | null | undefined)[] {
    return this.#child.stdio;
  }

  /** @returns false when the process is gone. */
  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
    if (this.#info === undefined) return this.#child.kill(signal);
    const { exitCode, signalCode, pid } = this.#child;
    if (exitCode !== null || signalCode !== null) return false;
    // A launcher that is killed before its child asked for a death signal would leave it waiting for ever.
    if (this.#inner === undefined) {
      if (signal === 'SIGKILL') this.#doom();
      return this.#doomed;
    }
    // Its launcher has buried it, perhaps, and its number is another's by now.
    if (parentOf(this.#inner) !== pid) return false;
    try {
      return process.kill(this.#inner, signal);
    } catch {
      return false;
    }
  }

  /** One that has not named its child by then never will. */
  #doom(): void {
    if (this.#doomed) return;
    this.#doomed = true;
    setTimeout(() => this.#inner ?? this.#child.kill('SIGKILL'), NAMING_MS).unref();
  }

  #learn(info: Readable, nice: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      let text = '';
      info.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        this.#inner ??= childPidOf(text);
        if (this.#inner === undefined) return;
        info.removeAllListeners('data').resume();
        giveWay(this.#inner, nice);
        if (this.#doomed) this.kill('SIGKILL');
        resolve();
      });
    });
  }
}

function unwrapped({ code, signal }: Exit): Exit {
  if (code === null || code <= SIGNALLED) return { code, signal };
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  const name = names.find(([, number]) => number === code - SIGNALLED)?.[0];
  return name === undefined ? { code, signal } : { code: null, signal: name };
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2]);
  } catch {
    return undefined;
  }
}
