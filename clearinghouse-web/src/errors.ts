import { type ErrorInit, PotluckError, type ProblemKind } from '@potluck/protocol';

/** What can be wrong with a request to the site: the HTTP status, and the kind of fault as programs tell it apart. */
const CODES = {
  INVALID_REQUEST: [400, 'invalid_request'],
  NOT_AUTHENTICATED: [401, 'authentication'],
  BAD_SIGNATURE: [401, 'authentication'],
  REPLAYED: [401, 'authentication'],
  UNKNOWN_KEY: [401, 'authentication'],
  WRONG_PASSWORD: [401, 'authentication'],
  BAD_TOKEN: [401, 'authentication'],
  TOKEN_EXPIRED: [401, 'authentication'],
  BAD_PASSKEY: [401, 'authentication'],
  KEY_NOT_PROVED: [401, 'authentication'],
  FORBIDDEN: [403, 'authentication'],
  CSRF: [403, 'authentication'],
  BANNED: [403, 'authentication'],
  NOT_ADMINISTRATOR: [403, 'authentication'],
  NO_SUCH_PAGE: [404, 'invalid_request'],
  NO_SUCH_VESSEL: [404, 'invalid_request'],
  NO_SUCH_ACCOUNT: [404, 'invalid_request'],
  NO_SUCH_NODE: [404, 'invalid_request'],
  NO_SUCH_THING: [404, 'invalid_request'],
  TOO_MANY: [409, 'invalid_request'],
  USERNAME_TAKEN: [409, 'invalid_request'],
  LAST_ADMINISTRATOR: [409, 'invalid_request'],
  NOT_ENOUGH_CREDITS: [409, 'not_enough_credits'],
  UNABLE_TO_ACQUIRE: [409, 'unable_to_acquire'],
  DRAINING: [409, 'unable_to_acquire'],
  STOPPED: [503, 'unable_to_acquire'],
  IN_PROGRESS: [409, 'unable_to_acquire'],
  KEY_REUSED: [422, 'invalid_request'],
  TOO_LARGE: [413, 'invalid_request'],
  TOO_MANY_REQUESTS: [429, 'invalid_request'],
  INTERNAL: [500, 'internal'],
  NO_PAYLOAD: [503, 'internal'],
  NOT_READY: [503, 'internal'],
} as const satisfies Record<string, readonly [number, ProblemKind]>;
export type PortalCode = keyof typeof CODES;

export function statusOf(code: PortalCode): number {
  return CODES[code][0];
}

export function kindOf(code: PortalCode): ProblemKind {
  return CODES[code][1];
}

/** A request that the site refuses; `status` is the HTTP status, `code` and `kind` stand in the problem document. */
export class PortalError extends PotluckError<PortalCode> {
  readonly status: number;
  readonly kind: ProblemKind;

  constructor(code: PortalCode, message: string, init: ErrorInit = {}) {
    const [status, kind] = CODES[code];
    super(kind === 'internal' ? 'internal' : 'caller', code, message, init);
    this.status = status;
    this.kind = kind;
  }
}

export type ServiceCode =
  | 'LEDGER_BROKEN'
  | 'PORT_IN_USE'
  | 'ALREADY_RUNNING'
  | 'CANNOT_LISTEN'
  | 'STATE_BROKEN'
  | 'NO_STATE'
  | 'WRONG_GATEWAY_KEY'
  | 'WRONG_KEYS_DATABASE'
  | 'SITES_RUNNING'
  | 'PAYLOAD_MISSING'
  | 'DATABASE_AWAY'
  | 'DATABASE_REFUSED'
  | 'DATABASE_BUSY'
  | 'BACKUP_EXISTS'
  | 'BACKUP_FAILED'
  | 'BACKUP_REFUSED'
  | 'NOT_EMPTY';

/** The clearinghouse cannot start on this machine as it was told to. */
export class ServiceError extends PotluckError<ServiceCode> {
  constructor(code: ServiceCode, message: string, init: ErrorInit = {}) {
    super('config', code, message, init);
  }
}

export type TaskCode = 'BACKEND_GONE' | 'TASK_LOST' | 'TASK_FAILED' | 'TASK_TIMEOUT' | 'TOO_FAR';

/** A task of the queue between site and backend did not come to its end. */
export class TaskError extends PotluckError<TaskCode> {
  constructor(code: TaskCode, message: string, init: ErrorInit = {}) {
    super('internal', code, message, init);
  }
}

export type BusCode = 'TOO_LARGE' | 'NO_SUCH_NODE' | 'TIMEOUT' | 'REFUSED' | 'AWAY';

/** Something could not be said or asked on the bus between the processes of a clearinghouse. */
export class BusError extends PotluckError<BusCode> {
  constructor(code: BusCode, message: string, init: ErrorInit = {}) {
    super('internal', code, message, init);
  }
}
