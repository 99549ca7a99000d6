import { type ErrorInit, PotluckError } from '@potluck/protocol';
import type { Problem } from './problem.ts';

/**
 * `PROGRAM_MISSING`: no file there. `PROGRAM_BROKEN`: it does not parse, or imports what no vessel has.
 * `PROGRAM_TOO_LARGE`: the bundle would not fit into one upload.
 */
export type ProgramCode = 'PROGRAM_MISSING' | 'PROGRAM_BROKEN' | 'PROGRAM_TOO_LARGE';

export interface ProgramErrorInit extends ErrorInit {
  readonly problems?: readonly Problem[];
  readonly files?: Iterable<string>;
}

/** A program cannot be bundled. */
export class ProgramError extends PotluckError<ProgramCode> {
  /** With their places, where they have some. */
  readonly problems: readonly Problem[];
  /** Absolute paths of the files that were looked at: a change of one of them may help. */
  readonly files: readonly string[];

  constructor(code: ProgramCode, message: string, init: ProgramErrorInit = {}) {
    super('program', code, message, init);
    this.problems = init.problems ?? [];
    this.files = [...(init.files ?? [])];
  }
}
