import { relative, resolve } from 'node:path';
import type { Ending } from '@potluck/protocol';
import { bundleProgram, type ProgramBundle, ProgramError } from '@potluck/repy-api';
import { Changes } from './changes.ts';

export interface WatchHooks {
  /** Runs the program until it ends or the signal says so. */
  readonly run: (bundle: ProgramBundle, stop: AbortSignal) => Promise<void>;
  /** The program cannot be bundled as it is now. */
  readonly broken: (error: ProgramError) => void;
  /** A file, named from here, has changed after the program had ended. */
  readonly changed: (file: string) => void;
}

/**
 * Runs a program again whenever a file that it is made of has changed. The one that runs is ended first; a broken edit is
 * told, and the next one waited for.
 * @param more further files that count. @throws the signal's reason, and no earlier
 */
export async function watchProgram(
  program: string,
  more: readonly string[],
  hooks: WatchHooks,
  stop: AbortSignal,
): Promise<never> {
  using changes = new Changes();
  changes.follow([resolve(program)], true);
  let running = new Running(async () => {}, stop);
  let last: string | undefined;
  let file: string | undefined;
  for (;;) {
    const made = await bundle(program);
    const broken = made instanceof ProgramError;
    const files = [...made.files, ...more];
    changes.follow(files, broken);
    const now = broken ? made.message : made.sha256;
    if (now !== last) {
      if (file !== undefined && !(await running.end(`${file} changed`))) hooks.changed(file);
      last = now;
      if (broken) hooks.broken(made);
      else running = new Running((signal) => hooks.run(made, signal), stop);
    }
    const path = await changes.next(stop).finally(() => (stop.aborted ? running.ended : undefined));
    // What is broken in the same way is told again after an edit, but not for another file: that may be where it is told.
    if (more.includes(path) || (broken && files.includes(path))) last = undefined;
    file = relative('', path);
  }
}

async function bundle(program: string): Promise<ProgramBundle | ProgramError> {
  try {
    return await bundleProgram(program);
  } catch (error) {
    if (error instanceof ProgramError) return error;
    throw error;
  }
}

/** A program that runs, or has run. */
class Running {
  readonly #stop = new AbortController();
  #over = false;
  readonly ended: Promise<void>;

  constructor(run: (signal: AbortSignal) => Promise<void>, stop: AbortSignal) {
    this.ended = run(AbortSignal.any([this.#stop.signal, stop])).finally(() => {
      this.#over = true;
    });
  }

  /** @returns whether it still ran. */
  async end(message: string): Promise<boolean> {
    if (this.#over) return false;
    this.#stop.abort({ kind: 'stopped', message, exitCode: 143 } satisfies Ending);
    await this.ended;
    return true;
  }
}
