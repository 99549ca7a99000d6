import {
  type ErrorInit,
  PotluckError,
  type Problem,
  type ProblemKind,
  type ShortageFacts,
  shortageSchema,
} from '@potluck/protocol';

/** The last five are the kinds of refusal that Seattle told apart; `details.code` has the clearinghouse's own code. */
export type ClearinghouseCode =
  | 'CLEARINGHOUSE_UNREACHABLE'
  | 'CLEARINGHOUSE_REFUSED'
  | 'CLEARINGHOUSE_BROKEN'
  | 'CLEARINGHOUSE_FAILED'
  | 'NOT_AUTHENTICATED'
  | 'INVALID_REQUEST'
  | 'NOT_ENOUGH_CREDITS'
  | 'UNABLE_TO_ACQUIRE';

/** The clearinghouse is away, refuses, or answers something that is not its protocol. */
export class ClearinghouseError extends PotluckError<ClearinghouseCode> {
  constructor(code: ClearinghouseCode, message: string, init: ErrorInit = {}) {
    super('peer', code, message, init);
  }
}

/** It is its own fault: `internal`. */
export class FailedError extends ClearinghouseError {}
/** It does not believe who asks, or does not let him: `authentication`. */
export class AuthenticationError extends ClearinghouseError {}
/** What was asked makes no sense to it: `invalid_request`. */
export class InvalidRequestError extends ClearinghouseError {}
/** `not_enough_credits` */
export class CreditsError extends ClearinghouseError {}
/** `unable_to_acquire` */
export class AcquireError extends ClearinghouseError {
  /** What could not be met, and by how much; undefined where no vessels were looked for, as on a machine that is leaving. */
  get shortage(): ShortageFacts | undefined {
    return shortageSchema.safeParse(this.details).data;
  }
}

const KINDS = {
  internal: [FailedError, 'CLEARINGHOUSE_FAILED'],
  authentication: [AuthenticationError, 'NOT_AUTHENTICATED'],
  invalid_request: [InvalidRequestError, 'INVALID_REQUEST'],
  not_enough_credits: [CreditsError, 'NOT_ENOUGH_CREDITS'],
  unable_to_acquire: [AcquireError, 'UNABLE_TO_ACQUIRE'],
} as const satisfies Record<ProblemKind, readonly [typeof ClearinghouseError, ClearinghouseCode]>;

/** A refusal, as the error of its kind. */
export function refusalOf({ kind, detail, details, code, status }: Problem): ClearinghouseError {
  const [Kind, own] = KINDS[kind];
  return new Kind(own, detail, { details: { ...details, status, code } });
}
