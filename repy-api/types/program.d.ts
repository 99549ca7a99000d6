// #region Program
// What a program is given, what it says, and how it ends: when no timer, listener or call is pending, by `exitall()`, by
// an uncaught error, or by a limit. `await` works at its top. What can wait returns a promise; what cannot is synchronous.

/**
 * Always `'initialize'`: kept so that programs of Seattle run as they stand.
 * @example
 * if (callfunc === 'initialize') log('here we go\n'); // logs: here we go
 */
declare const callfunc: 'initialize';

/**
 * The program's arguments.
 * @example
 * log('Hello,', callargs[0] ?? 'world', '\n'); // logs: Hello, world
 */
declare const callargs: string[];

/**
 * An object for whatever the program wants to share between its functions, as in Seattle.
 * @example
 * mycontext.count = (Number(mycontext.count) || 0) + 1;
 * log(mycontext.count, '\n'); // logs: 1
 */
declare const mycontext: Record<string, unknown>;

/**
 * Writes to the vessel's log: a space between values and no end of line. Texts are written as they are, other values as
 * a reader would write them. What is longer than 131,072 characters is cut off.
 * @throws ResourceExhaustedError the vessel may not log at all
 * @charges `lograte`, a byte for each; above it the call waits, and the whole program with it
 * @example
 * log('received', { port: 54321 }, '\n'); // logs: received { port: 54321 }
 */
declare function log(...values: unknown[]): void;

/**
 * `log` with an end of line, by the four names that JavaScript has for it.
 * @throws ResourceExhaustedError as `log`
 * @charges `lograte`, as `log`
 */
declare const console: {
  /** @example console.log('ready', [54321]); // logs: ready [54321] */
  log(...values: unknown[]): void;
  /** The same. @example console.info('ready'); // logs: ready */
  info(...values: unknown[]): void;
  /** The same. @example console.warn('slow'); // logs: slow */
  warn(...values: unknown[]): void;
  /** The same. @example console.error('failed'); // logs: failed */
  error(...values: unknown[]): void;
};

/**
 * Ends the program at once; nothing after it runs.
 * @example
 * settimer(0.1, exitall);
 */
declare function exitall(): never;

/**
 * Calls a function before the program is stopped from outside: because a user stops it, or because the node does. The
 * program goes on meanwhile, held to its limits as ever, and ends when what the function returns is settled, after 2
 * seconds at the latest, or at once when it is stopped a second time. A reset and a limit end it without a word. Several
 * functions are called in their order. It keeps no program alive.
 * @throws RepyArgumentError it is no function
 * @example
 * onstop(async (reason) => {
 *   const file = await openfile('last-words', true);
 *   await file.writeat(`${reason} after ${getruntime()} s`, 0);
 *   await file.close();
 * });
 */
declare function onstop(fn: (reason: 'stopped' | 'node stops') => unknown): void;
// #endregion
