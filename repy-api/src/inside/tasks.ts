import { OP } from '../ops.ts';
import { invoke, promised } from './bridge.ts';
import { needFunction } from './data.ts';
import { argumentError, callProgram, errorOf } from './errors.ts';
import { SafePromise, table } from './primordials.ts';

/** First come, first served; who holds it is not asked, as in Seattle. */
class Lock {
  #held = false;
  readonly #waiting = table<(got: boolean) => void>();
  #first = 0;
  #next = 0;

  acquire(blocking: unknown = true): Promise<boolean> {
    return promised(() => {
      // The first generation says it by numbers.
      if (blocking !== true && blocking !== false && blocking !== 1 && blocking !== 0) {
        throw argumentError('true to wait or false not to', blocking);
      }
      return new SafePromise<boolean>((resolve) => {
        if (this.#held && (blocking === true || blocking === 1)) {
          this.#waiting[this.#next++] = resolve;
          return;
        }
        resolve(!this.#held);
        this.#held = true;
      });
    });
  }

  /** Hands it to the first that waits, so that nobody comes in between. */
  release(): void {
    if (!this.#held) throw errorOf('LockDoubleReleaseError', 'expected a lock that is held, got one that is free');
    const next = this.#waiting[this.#first];
    if (next === undefined) {
      this.#held = false;
      return;
    }
    delete this.#waiting[this.#first++];
    next(true);
  }
}

export function createlock(): Lock {
  return new Lock();
}

/** What it throws is a rejection that nobody handles: it ends the program. */
async function later(fn: () => unknown): Promise<void> {
  await undefined;
  callProgram(fn, []);
}

export function queueMicrotask(fn: unknown): void {
  later(needFunction(fn, 'what to call'));
}

let tasks = 0;

/** The task hears its name: nothing in the language tells later which task runs after an `await`. */
async function runTask(fn: () => unknown): Promise<void> {
  tasks += 1;
  const name = `thread-${tasks}`;
  await undefined;
  try {
    await callProgram(fn, [name]);
  } finally {
    invoke(OP.taskend);
  }
}

export function createthread(fn: unknown): void {
  const task = needFunction(fn, 'what to run');
  invoke(OP.taskbegin);
  runTask(task);
}
