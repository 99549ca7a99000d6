import { type Ending, type ErrorInit, PotluckError } from '@potluck/protocol';

/**
 * `NOT_READY`: the process did not say `ready` in time. `ENDED_EARLY`: it ended before the program began.
 * `BAD_FRAME`: what came over the pipe is no frame. `FRAME_TOO_LARGE`: a frame of ours would pass its limit.
 * `SPAWN_FAILED`: the system gave no process. `ALREADY_STARTED`: a process holds one program in its life.
 * `RUNTIME_MISSING`: the files of the vessel process are not there. `RUNTIME_BROKEN`: they could not be built.
 */
export type VesselCode =
  | 'NOT_READY'
  | 'ENDED_EARLY'
  | 'BAD_FRAME'
  | 'FRAME_TOO_LARGE'
  | 'SPAWN_FAILED'
  | 'ALREADY_STARTED'
  | 'RUNTIME_MISSING'
  | 'RUNTIME_BROKEN';

/** Something is wrong with a vessel process itself, not with the program in it. */
export class VesselError extends PotluckError<VesselCode> {
  constructor(code: VesselCode, message: string, init: ErrorInit = {}) {
    super('internal', code, message, init);
  }
}

/** A call took more than its vessel may have: its program is ended, and this is how. */
export class LimitPassed extends PotluckError<'LIMIT_PASSED'> {
  readonly ending: Ending;

  /** @param resource name of the restriction; `limit` and `used` in its unit. */
  constructor(resource: string, limit: number, used: number) {
    const message = `expected at most ${limit} bytes of ${resource}, got ${used}`;
    super('program', 'LIMIT_PASSED', message);
    this.ending = { kind: 'limit', message, exitCode: 98, limit: { resource, limit, used } };
  }
}

/**
 * `NO_SUCH_FILE`: no plain file of that name. `PAST_END`: an offset beyond the end of a file. `QUOTA_EXCEEDED`: it would
 * pass the vessel's `diskused`; `details` has `limit` and `used`. `TOO_MANY_FILES`: of one vessel. `FULL`: the machine's
 * disk has no room.
 */
export type DiskCode = 'NO_SUCH_FILE' | 'PAST_END' | 'QUOTA_EXCEEDED' | 'TOO_MANY_FILES' | 'FULL';

/** A file of a vessel cannot be read or written like this; nothing has changed. */
export class DiskError extends PotluckError<DiskCode> {
  constructor(code: DiskCode, message: string, init: ErrorInit = {}) {
    super('caller', code, message, init);
  }
}
