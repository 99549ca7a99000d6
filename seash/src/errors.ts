import { describeError, type ErrorInit, PotluckError } from '@potluck/protocol';

export type UsageCode = 'USAGE' | 'UNKNOWN_COMMAND' | 'BAD_QUOTING';

/** The line, or the command line of the shell itself, cannot be understood; nothing was carried out. */
export class UsageError extends PotluckError<UsageCode> {
  constructor(code: UsageCode, message: string, init: ErrorInit = {}) {
    super('caller', code, message, init);
  }
}

export type CommandCode =
  | 'NO_IDENTITY'
  | 'UNKNOWN_IDENTITY'
  | 'NO_TARGET'
  | 'UNKNOWN_TARGET'
  | 'BAD_NAME'
  | 'BAD_KEY'
  | 'BAD_ADDRESS'
  | 'BAD_ARGUMENTS'
  | 'FILE_MISSING'
  | 'FILE_BROKEN'
  | 'FILE_TOO_LARGE'
  | 'PROGRAM_BROKEN'
  | 'NO_CLEARINGHOUSE'
  | 'NO_VESSELS'
  | 'UNKNOWN_MODULE'
  | 'MODULE_STATE'
  | 'MODULE_CONFLICT'
  | 'MODULE_DISABLED'
  | 'UNKNOWN_VARIABLE'
  | 'SOME_FAILED'
  | 'NOT_STARTED'
  | 'START_UNKNOWN'
  | 'DEPLOYMENT_BROKEN'
  | 'DEPLOYMENT_CHANGED'
  | 'CANCELLED'
  | 'TIMEOUT';

/** The command was understood and cannot be carried out as things are. */
export class CommandError extends PotluckError<CommandCode> {
  constructor(code: CommandCode, message: string, init: ErrorInit = {}) {
    super('caller', code, message, init);
  }
}

/** What programs get to see of an error: a stable code and one sentence. */
export interface ErrorFacts {
  readonly code: string;
  readonly message: string;
}

/** Anything that was thrown, as a code and one sentence; the file system's own errors keep their code (`ENOENT`). */
export function factsOf(error: unknown): ErrorFacts {
  if (error instanceof PotluckError) return { code: error.code, message: error.message };
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'INTERNAL';
  return { code, message: describeError(error) };
}
