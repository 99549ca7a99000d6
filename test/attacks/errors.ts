import { type ErrorInit, PotluckError } from '@potluck/protocol';

export type AttackCode = 'USAGE' | 'BAD_ATTACK' | 'WORLD_BROKEN' | 'TOO_LATE';

/** The suite itself could not do its work; an attack that succeeds is an outcome and no error. */
export class AttackError extends PotluckError<AttackCode> {
  constructor(code: AttackCode, message: string, init: ErrorInit = {}) {
    super(code === 'USAGE' ? 'caller' : 'internal', code, message, init);
  }
}
