import { factsOf, UsageError } from './errors.ts';
import type { Plan } from './plan.ts';
import type { Reporter } from './reporter.ts';
import type { Confirm } from './session.ts';
import type { CommandResult, Shell } from './shell.ts';

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
}

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
  for (const plan of plans) {
    const result = await shell.run(plan, { signal, confirm, ...reporter.listening });
    reporter.report(result, where(plan.line));
    if (signal.aborted) return INTERRUPTED;
    if (!result.ok || Number(result.exitCode ?? 0) > 0) code = exitCodeOf(result);
    if (shell.session.done || (!result.ok && !keepGoing)) break;
  }
  return code;
}

/** Where a vessel failed, no program's end can make it well. */
function exitCodeOf({ exitCode }: CommandResult): number {
  return typeof exitCode === 'number' && exitCode > 0 ? exitCode : 1;
}
