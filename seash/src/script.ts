import { CommandError, factsOf, UsageError } from './errors.ts';
import type { Plan } from './plan.ts';
import type { Reporter } from './reporter.ts';
import type { Confirm } from './session.ts';
import type { CommandResult, Shell } from './shell.ts';
import { quoteWord } from './words.ts';

export interface ScriptInit {
  readonly source: string;
  /** What the script is called in messages; nothing for commands of the command line itself. */
  readonly name: string;
  /** Goes on after a command that failed. */
  readonly keepGoing: boolean;
  readonly reporter: Reporter;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks whoever sits at the terminal; undefined where nobody does. */
  readonly confirm?: Confirm | undefined;
  /** How long all of it may take; for ever unless given. */
  readonly timeoutS?: number | undefined;
}

/** What `--timeout` takes. */
export const SCRIPT_LIMITS = { timeoutS: 1_000_000 } as const;

/** How long a command may take to come to its end when its time is over. */
const END_MS = 2000;

/** Of a script that Ctrl-C has ended, as shells have it. */
const INTERRUPTED = 130;

/**
 * Carries out a script; the first command that fails ends it. Nothing is carried out if any of it cannot be understood.
 * @returns the exit code: 0 all went well, 1 something failed, 2 the script is wrong, 130 it was interrupted; of programs
 * that were followed, and failed, theirs; 2 for a difference that `diff` has found.
 */
export async function runScript(shell: Shell, init: ScriptInit): Promise<number> {
  const { source, name, keepGoing, reporter, signal, confirm } = init;
  const where = (line: unknown): string => (name === '' ? 'seash: ' : `seash: ${name}:${line}: `);
  let plans: Plan[];
  try {
    plans = shell.plan(source);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    reporter.report({ command: '', ok: false, error: factsOf(error) }, where(error.details.line));
    return 2;
  }
  let code = 0;
  using time = new Deadline(init.timeoutS);
  const both = AbortSignal.any([signal, time.signal]);
  for (const plan of plans) {
    const running = shell.run(plan, { signal: both, confirm, ...reporter.listening });
    const result = await Promise.race([running, time.over]);
    if (result !== undefined) reporter.report(result, where(plan.line));
    if (signal.aborted) return INTERRUPTED;
    if (result === undefined || time.signal.aborted) {
      reporter.report({ command: '', ok: false, error: factsOf(time.errorAt(plan)) }, where(plan.line));
      return 1;
    }
    if (!result.ok || Number(result.exitCode ?? 0) > 0) code = exitCodeOf(result);
    if (shell.session.done || (!result.ok && !keepGoing)) break;
  }
  return code;
}

/** Where a vessel failed, no program's end can make it well. */
function exitCodeOf({ exitCode }: CommandResult): number {
  return typeof exitCode === 'number' && exitCode > 0 ? exitCode : 1;
}

/** The end of the time that a script may take. */
class Deadline implements Disposable {
  readonly #timeoutS: number | undefined;
  readonly #controller = new AbortController();
  readonly #over = Promise.withResolvers<undefined>();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(timeoutS: number | undefined) {
    this.#timeoutS = timeoutS;
    if (timeoutS === undefined) return;
    this.#timers.push(setTimeout(() => this.#controller.abort(), timeoutS * 1000));
    this.#timers.push(setTimeout(() => this.#over.resolve(undefined), timeoutS * 1000 + END_MS));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Comes a little later, for who does not listen to the signal. */
  get over(): Promise<undefined> {
    return this.#over.promise;
  }

  errorAt({ statement }: Plan): CommandError {
    const line = statement.words.map(({ text }) => quoteWord(text)).join(' ');
    const message = `expected all commands to end within ${this.#timeoutS} s (--timeout), got "${line}" still under way`;
    return new CommandError('TIMEOUT', message);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
