import { type ErrorInit, PotluckError } from '@potluck/protocol';

export type DemoCode =
  | 'USAGE'
  | 'UNSUPPORTED'
  | 'PROGRAM_FAILED'
  | 'SITE_REFUSED'
  | 'TOO_LATE'
  | 'INTERRUPTED'
  | 'BUSY';

/** A step of the demonstration that did not come true. */
export class DemoError extends PotluckError<DemoCode> {
  constructor(code: DemoCode, message: string, init: ErrorInit = {}) {
    super('internal', code, message, init);
  }
}
