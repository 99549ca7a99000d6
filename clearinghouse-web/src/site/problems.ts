import { describeError, type Problem } from '@potluck/protocol';
import { z } from 'zod';
import { PortalError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { isAway } from '../store/postgres.ts';

const TITLES: Record<PortalError['code'], string> = {
  INVALID_REQUEST: 'That was not quite right',
  NOT_AUTHENTICATED: 'Please log in',
  BAD_SIGNATURE: 'Not signed as it must be',
  REPLAYED: 'Once is enough',
  UNKNOWN_KEY: 'Nobody has this key here',
  WRONG_PASSWORD: 'Wrong username or password',
  BAD_TOKEN: 'Nobody has this token',
  TOKEN_EXPIRED: 'This token has expired',
  BAD_PASSKEY: 'That passkey did not open',
  KEY_NOT_PROVED: 'Not shown to be your key',
  FORBIDDEN: 'Not for you',
  CSRF: 'This form has gone stale',
  BANNED: 'This account is suspended',
  NOT_ADMINISTRATOR: 'For administrators only',
  NO_SUCH_PAGE: 'There is nothing here',
  NO_SUCH_VESSEL: 'Not your vessel',
  NO_SUCH_ACCOUNT: 'No such account',
  NO_SUCH_NODE: 'No such machine',
  NO_SUCH_THING: 'It is not there',
  TOO_MANY: 'Too many of them',
  USERNAME_TAKEN: 'That username is taken',
  LAST_ADMINISTRATOR: 'Somebody has to stay',
  NOT_ENOUGH_CREDITS: 'Not enough credits',
  UNABLE_TO_ACQUIRE: 'No vessels to give',
  IN_PROGRESS: 'Still at it',
  DRAINING: 'That machine is leaving',
  STOPPED: 'Everything is stopped',
  KEY_REUSED: 'That key is for something else',
  TOO_LARGE: 'Too large',
  TOO_MANY_REQUESTS: 'Slow down, please',
  INTERNAL: 'Something broke on our side',
  NO_PAYLOAD: 'No download yet',
  NOT_READY: 'Not ready yet',
};

export function titleOf(error: PortalError): string {
  return TITLES[error.code];
}

/** RFC 9457. */
export function problemOf(error: PortalError): Problem {
  return {
    type: `urn:potluck:problem:${error.code.toLowerCase().replaceAll('_', '-')}`,
    title: titleOf(error),
    status: error.status,
    detail: error.message,
    code: error.code,
    kind: error.kind,
    ...(Object.keys(error.details).length > 0 && { details: { ...error.details } }),
  };
}

/** The one place where what was thrown becomes what is told. */
export function portalErrorOf(error: unknown): PortalError {
  if (error instanceof PortalError) return error;
  if (error instanceof z.ZodError) return invalid(error);
  const { type, status } = error as { type?: unknown; status?: unknown };
  if (type === 'entity.too.large') {
    return new PortalError('TOO_LARGE', `expected a request of at most ${LIMITS.bodyBytes} bytes, got more`);
  }
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new PortalError('INVALID_REQUEST', `expected a readable request, got: ${describeError(error)}`);
  }
  if (isAway(error)) {
    return new PortalError('NOT_READY', 'expected the database to answer, it does not: ask again in a moment', {
      cause: error,
    });
  }
  return new PortalError('INTERNAL', 'expected this to work, it did not: the operator can see why in the log', {
    cause: error,
  });
}

function invalid(error: z.ZodError): PortalError {
  const fields: Record<string, string> = {};
  for (const { path, message } of error.issues.slice(0, LIMITS.fieldsTold))
    fields[path.map(String).join('.')] ??= message;
  const sentences = Object.entries(fields).map(([field, message]) => (field === '' ? message : `${field}: ${message}`));
  const left = error.issues.length - LIMITS.fieldsTold;
  if (left > 0) sentences.push(`and ${left} more`);
  return new PortalError('INVALID_REQUEST', sentences.join('; '), { details: { fields } });
}
