import { type ErrorInit, PotluckError } from '@potluck/protocol';

/** What can be wrong with a request to the site, and the HTTP status that says so. */
const STATUS = {
  INVALID_REQUEST: 400,
  NOT_AUTHENTICATED: 401,
  WRONG_PASSWORD: 401,
  CSRF: 403,
  NO_SUCH_PAGE: 404,
  NO_SUCH_VESSEL: 404,
  USERNAME_TAKEN: 409,
  NOT_ENOUGH_CREDITS: 409,
  UNABLE_TO_ACQUIRE: 409,
  TOO_LARGE: 413,
  TOO_MANY_REQUESTS: 429,
  INTERNAL: 500,
  NO_PAYLOAD: 503,
  NOT_READY: 503,
} as const;
export type PortalCode = keyof typeof STATUS;

/** A request that the site refuses; `status` is the HTTP status, `code` stands in the problem document. */
export class PortalError extends PotluckError<PortalCode> {
  readonly status: number;

  constructor(code: PortalCode, message: string, init: ErrorInit = {}) {
    super(STATUS[code] >= 500 ? 'internal' : 'caller', code, message, init);
    this.status = STATUS[code];
  }
}

export type ServiceCode = 'PORT_IN_USE' | 'ALREADY_RUNNING' | 'CANNOT_LISTEN' | 'STATE_BROKEN' | 'PAYLOAD_MISSING';

/** The clearinghouse cannot start on this machine as it was told to. */
export class ServiceError extends PotluckError<ServiceCode> {
  constructor(code: ServiceCode, message: string, init: ErrorInit = {}) {
    super('config', code, message, init);
  }
}

export type TaskCode = 'BACKEND_GONE' | 'TASK_LOST' | 'TASK_FAILED' | 'TASK_TIMEOUT';

/** A task of the queue between site and backend did not come to its end. */
export class TaskError extends PotluckError<TaskCode> {
  constructor(code: TaskCode, message: string, init: ErrorInit = {}) {
    super('internal', code, message, init);
  }
}
