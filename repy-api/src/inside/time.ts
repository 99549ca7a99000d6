import { OP } from '../ops.ts';
import { awaitRequest, invoke, promised } from './bridge.ts';
import { needFunction, needSeconds } from './data.ts';
import { argumentError, callProgram } from './errors.ts';
import { isArray, table } from './primordials.ts';

interface Due {
  readonly fn: (...args: unknown[]) => unknown;
  readonly args: unknown[];
  /** Of the web's calls, which name it by its number. */
  readonly web?: boolean;
  readonly again?: boolean;
}

const due = table<Due>();

/** What `settimer` returns; only `canceltimer` can use it. */
class Timer {
  readonly #id: number;
  constructor(id: number) {
    this.#id = id;
  }
  static idOf(value: unknown): number {
    if (typeof value === 'object' && value !== null && #id in value) return value.#id;
    throw argumentError('a timer that settimer returned', value);
  }
}
const { idOf } = Timer;

/** @returns the timer's number. @throws ResourceExhaustedError */
export function schedule(seconds: number, fn: Due['fn'], args: unknown[]): number {
  const id = invoke(OP.settimer, seconds) as number;
  due[id] = { fn, args };
  return id;
}

export function settimer(seconds: unknown, fn: unknown, args: unknown = []): Timer {
  const delay = needSeconds(seconds, 'a delay');
  const callback = needFunction(fn, 'what to call');
  if (!isArray(args)) throw argumentError('the arguments as an array', args);
  return new Timer(schedule(delay, callback, args));
}

export function canceltimer(timer: unknown): boolean {
  const id = idOf(timer);
  delete due[id];
  return invoke(OP.canceltimer, id) === 1;
}

export function sleep(seconds: unknown): Promise<void> {
  return promised(() => {
    const delay = needSeconds(seconds, 'a time to sleep');
    return awaitRequest(invoke(OP.sleep, delay) as number, () => undefined) as Promise<void>;
  });
}

/** Milliseconds as the web reads them: 32 bits of an integer, so that what is no number, negative or too long is 0. */
function webDelay(delay: unknown): number {
  const ms = (delay as number) | 0;
  return ms < 0 ? 0 : ms / 1000;
}

export function setTimeout(fn: unknown, delay?: unknown, ...args: unknown[]): number {
  const callback = needFunction(fn, 'what to call');
  const id = invoke(OP.settimer, webDelay(delay)) as number;
  due[id] = { fn: callback, args, web: true };
  return id;
}

export function setInterval(fn: unknown, delay?: unknown, ...args: unknown[]): number {
  const callback = needFunction(fn, 'what to call');
  const id = invoke(OP.setinterval, webDelay(delay)) as number;
  due[id] = { fn: callback, args, web: true, again: true };
  return id;
}

/** Of both kinds, as on the web; what is no such timer is let be. */
export function clearTimeout(id?: unknown): void {
  if (typeof id !== 'number' || due[id]?.web !== true) return;
  delete due[id];
  invoke(OP.canceltimer, id);
}

/** A timer's time has come. */
export function fire(id: number): void {
  const entry = due[id];
  if (entry === undefined) return;
  if (entry.again !== true) delete due[id];
  callProgram(entry.fn, entry.args);
}

export function getruntime(): number {
  return invoke(OP.getruntime) as number;
}

export function randomfloat(): number {
  return invoke(OP.randomfloat) as number;
}
