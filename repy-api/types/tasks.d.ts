// #region Tasks
// Functions of one program take turns: one runs until it awaits or returns. So nothing but an `await` lets others in.

/**
 * Runs a function beside the others: it begins when the code that runs now waits or ends, and takes turns with the rest
 * where it awaits. What it throws ends the program. It is given a name that no other task has, in place of Seattle's
 * `getthreadname`, for after an `await` nothing in the language tells which task runs; a closure has all else.
 * @throws RepyArgumentError
 * @throws ResourceExhaustedError no `event` is left
 * @charges 1 `event` until it has returned, or what it returned has settled
 * @example
 * createthread(async () => {
 *   await sleep(0.05);
 *   log('second\n');
 * });
 * log('first\n'); // logs: first
 * // logs: second
 * @example
 * createthread((name) => log('I am', name, '\n')); // logs: I am thread-1
 */
declare function createthread(fn: (name: string) => unknown): void;

/** What `createlock` returns. */
interface RepyLock {
  /**
   * Waits for the lock, first come, first served; with `false`, or 0 as in the first generation, it does not wait.
   * @returns whether it was acquired
   * @throws RepyArgumentError
   * @example
   * const lock = createlock();
   * log(await lock.acquire(), await lock.acquire(false), '\n'); // logs: true false
   */
  acquire(blocking?: boolean | 0 | 1): Promise<boolean>;
  /**
   * Frees the lock, whoever acquired it; the first that waits has it at once.
   * @throws LockDoubleReleaseError it is free
   * @example
   * const lock = createlock();
   * await lock.acquire();
   * lock.release();
   */
  release(): void;
}

/**
 * A lock, for what must not be interrupted by others while it awaits.
 * @example
 * const lock = createlock();
 * await lock.acquire();
 * try {
 *   await sleep(0.05);
 * } finally {
 *   lock.release();
 * }
 */
declare function createlock(): RepyLock;

/**
 * The same as `createlock`: the name of the first generation.
 * @example
 * const lock = getlock();
 * log(await lock.acquire(), '\n'); // logs: true
 */
declare function getlock(): RepyLock;

/**
 * Calls a function after what runs now and before anything else. What it throws ends the program.
 * @throws RepyArgumentError
 * @example
 * queueMicrotask(() => log('soon\n'));
 */
declare function queueMicrotask(fn: () => unknown): void;
// #endregion
