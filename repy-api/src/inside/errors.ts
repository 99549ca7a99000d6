import { FAILURES, type FailureName } from '../ops.ts';
import { apply, create, defineProperty, SafeError, SafeString, slice } from './primordials.ts';

type ErrorClass = new (message: string) => Error;

/** The root of every error that a call of the Repy API raises. */
class RepyError extends SafeError {
  static {
    defineProperty(RepyError.prototype, 'name', { value: 'RepyError', writable: true, configurable: true });
  }
}

const classes = create(null) as Record<FailureName, ErrorClass>;
for (const [name, code] of FAILURES) {
  // A computed key gives the class its name.
  const made = { [name]: class extends RepyError {} }[name] as ErrorClass;
  defineProperty(made.prototype, 'name', { value: name, writable: true, configurable: true });
  defineProperty(made.prototype, 'code', { value: code, enumerable: true });
  classes[name] = made;
}

/** The classes by their names, to be made global. */
export const ERROR_CLASSES: Readonly<Record<string, ErrorClass>> = { RepyError, ...classes };

const byNumber: ErrorClass[] = FAILURES.map(([name]) => classes[name]);

let last: Error | undefined;

function make(Class: ErrorClass, message: string): Error {
  last = new Class(message);
  return last;
}

/** @returns the text of the last error that a call raised, with its place; null when there was none. */
export function getlasterror(): string | null {
  return last === undefined ? null : describeThrown(last);
}

export function errorOf(name: FailureName, message: string): Error {
  return make(classes[name], message);
}

/** @param number index in `FAILURES`. */
export function failure(number: number, message: string): Error {
  return make(byNumber[number] ?? RepyError, message);
}

export function argumentError(expected: string, got: unknown): Error {
  return errorOf('RepyArgumentError', `expected ${expected}, got ${kindOf(got)}`);
}

/** Says what a value is without running any of its code. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > 40 ? `a text of ${value.length} characters` : `"${value}"`;
  }
  if (value === null) return 'null';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  return SafeString(value);
}

const TRACE_LENGTH = 4000;

/** What the log says of a value that was thrown; runs the value's own code, and survives it. */
export function describeThrown(value: unknown): string {
  try {
    if (typeof value === 'object' && value !== null) {
      const { stack } = value as { stack?: unknown };
      if (typeof stack === 'string' && stack !== '') return slice(stack, 0, TRACE_LENGTH);
      const { name, message } = value as { name?: unknown; message?: unknown };
      if (typeof message === 'string') return slice(`${SafeString(name)}: ${message}`, 0, TRACE_LENGTH);
      return 'an object that is no Error';
    }
    return `${slice(SafeString(value), 0, TRACE_LENGTH)} (a ${typeof value}, not an Error)`;
  } catch {
    return 'a value that cannot be shown';
  }
}

/** Keeps `apply` the only way into the program's functions. */
export function callProgram(fn: unknown, args: unknown[], self?: unknown): unknown {
  return apply(fn as () => unknown, self, args);
}
