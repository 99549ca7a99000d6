// #region Time
// Seconds in Seattle's calls, milliseconds in those of the web. Nothing wakes before its time.

/** What `settimer` returns. */
interface RepyTimer {
  /** Not there to be read: it tells a timer from other values. */
  readonly brand: never;
}

/**
 * Calls a function once, `seconds` from now and never before.
 * @throws RepyArgumentError
 * @throws ResourceExhaustedError no `event` is left
 * @charges 1 `event` until then
 * @example
 * settimer(0.05, (name) => log('time is up,', name, '\n'), ['Ada']);
 */
declare function settimer<Args extends unknown[]>(
  seconds: number,
  fn: (...args: Args) => unknown,
  args?: Args,
): RepyTimer;

/**
 * Takes back a timer of `settimer`.
 * @returns false if it has fired or was cancelled before
 * @throws RepyArgumentError
 * @example
 * const timer = settimer(60, exitall);
 * log(canceltimer(timer), canceltimer(timer), '\n'); // logs: true false
 */
declare function canceltimer(timer: RepyTimer): boolean;

/**
 * Waits, never less than `seconds`.
 * @throws RepyArgumentError
 * @throws ResourceExhaustedError 10,000 calls wait already
 * @example
 * await sleep(0.05);
 */
declare function sleep(seconds: number): Promise<void>;

/**
 * Seconds since the program began, in steps of 0.1 ms; it never goes back.
 * @example
 * const start = getruntime();
 * await sleep(0.05);
 * log(getruntime() - start >= 0.05, '\n'); // logs: true
 */
declare function getruntime(): number;

/**
 * Calls a function once, `delay` milliseconds from now and never before. As in browsers a delay is an integer of 32 bits:
 * what is no number, negative or from 2147483648 on counts as 0; `settimer` waits longer.
 * @returns a number for `clearTimeout`
 * @throws RepyArgumentError not a function: code in a string is refused
 * @throws ResourceExhaustedError no `event` is left
 * @charges 1 `event` until then
 * @example
 * setTimeout((name) => log('time is up,', name, '\n'), 50, 'Ada');
 */
declare function setTimeout(fn: () => void, delay?: number): number;
declare function setTimeout<Args extends unknown[]>(fn: (...args: Args) => void, delay?: number, ...args: Args): number;

/**
 * Calls a function again and again, every `delay` milliseconds but at least 4, counted from the end of the call before.
 * @returns a number for `clearInterval`
 * @throws RepyArgumentError
 * @throws ResourceExhaustedError no `event` is left
 * @charges 1 `event` until `clearInterval`
 * @example
 * setInterval(() => sendmess('198.51.100.7', 54321, 'alive'), 10_000);
 */
declare function setInterval(fn: () => void, delay?: number): number;
declare function setInterval<Args extends unknown[]>(
  fn: (...args: Args) => void,
  delay?: number,
  ...args: Args
): number;

/**
 * Takes back a timer of `setTimeout` or `setInterval`; anything else is let be.
 * @example
 * const id = setTimeout(exitall, 60_000);
 * clearTimeout(id);
 */
declare function clearTimeout(id?: number): void;

/**
 * The same as `clearTimeout`.
 * @example
 * const id = setInterval(() => clearInterval(id), 20);
 */
declare function clearInterval(id?: number): void;
// #endregion
