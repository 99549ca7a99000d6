import { FAILURES, type FailureName } from '@potluck/repy-api';
import { CallFailure } from '../failure.ts';

export { CallFailure };

const numbers = new Map<string, number>(FAILURES.map(([name], index) => [name, index]));
const INTERNAL = FAILURES.findIndex(([name]) => name === 'InternalError');

/** @returns what crosses the bridge for anything that a handler threw. */
export function crossing(error: unknown): { number: number; message: string } {
  if (error instanceof CallFailure) return { number: numbers.get(error.code) ?? INTERNAL, message: error.message };
  // Never the message of our own fault: it could name paths of this machine.
  return { number: INTERNAL, message: 'expected the runtime to carry this out, it failed' };
}

const BY_SYSTEM_CODE: Record<string, FailureName> = {
  EADDRINUSE: 'DuplicateTupleError',
  EADDRNOTAVAIL: 'AddressBindingError',
  EACCES: 'AddressBindingError',
  ECONNREFUSED: 'ConnectionRefusedError',
  ECONNABORTED: 'ConnectionRefusedError',
  ECONNRESET: 'SocketClosedRemoteError',
  EPIPE: 'SocketClosedRemoteError',
  ETIMEDOUT: 'TimeoutError',
  EMFILE: 'ResourceExhaustedError',
  ENFILE: 'ResourceExhaustedError',
  ENOBUFS: 'ResourceExhaustedError',
};

/** @param expected what should have been possible, for the message: "expected ..., got EADDRINUSE". */
export function networkFailure(error: unknown, expected: string): CallFailure {
  if (error instanceof CallFailure) return error;
  const code = (error as { code?: unknown }).code;
  const name = typeof code === 'string' ? BY_SYSTEM_CODE[code] : undefined;
  return new CallFailure(name ?? 'InternetConnectivityError', `expected ${expected}, got ${code ?? 'a network error'}`);
}
