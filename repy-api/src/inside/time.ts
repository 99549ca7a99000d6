import { OP } from '../ops.ts';
import { invoke, promised } from './bridge.ts';
import { needFunction, needSeconds } from './data.ts';
import { argumentError, callProgram } from './errors.ts';
import { isArray, SafePromise, table } from './primordials.ts';

interface Due {
  readonly fn: (...args: unknown[]) => unknown;
  readonly args: unknown[];
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

function schedule(seconds: number, fn: Due['fn'], args: unknown[]): number {
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
    let wake: () => void = () => {};
    const slept = new SafePromise<void>((resolve) => {
      wake = resolve;
    });
    schedule(delay, wake, []);
    return slept;
  });
}

/** A timer's time has come. */
export function fire(id: number): void {
  const entry = due[id];
  if (entry === undefined) return;
  delete due[id];
  callProgram(entry.fn, entry.args);
}

export function getruntime(): number {
  return invoke(OP.getruntime) as number;
}

export function randomfloat(): number {
  return invoke(OP.randomfloat) as number;
}
