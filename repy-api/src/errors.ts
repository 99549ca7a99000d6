import { type ErrorInit, PotluckError } from '@potluck/protocol';

/**
 * `PROGRAM_MISSING`: no file there. `PROGRAM_BROKEN`: it does not parse, or imports what no vessel has.
 * `PROGRAM_TOO_LARGE`: the bundle would not fit into one upload.
 */
export type ProgramCode = 'PROGRAM_MISSING' | 'PROGRAM_BROKEN' | 'PROGRAM_TOO_LARGE';

/** A program cannot be bundled. */
export class ProgramError extends PotluckError<ProgramCode> {
  constructor(code: ProgramCode, message: string, init: ErrorInit = {}) {
    super('program', code, message, init);
  }
}
