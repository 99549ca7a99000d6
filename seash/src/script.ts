import { factsOf, UsageError } from './errors.ts';
import type { Plan } from './plan.ts';
import type { Reporter } from './reporter.ts';
import type { Shell } from './shell.ts';

export interface ScriptInit {
  readonly source: string;
  /** What the script is called in messages; nothing for commands of the command line itself. */
  readonly name: string;
  /** Goes on after a command that failed. */
  readonly keepGoing: boolean;
  readonly reporter: Reporter;
}

/**
 * Carries out a script; the first command that fails ends it. Nothing is carried out if any of it cannot be understood.
 * @returns the exit code: 0 all went well, 1 something failed, 2 the script is wrong.
 */
export async function runScript(shell: Shell, { source, name, keepGoing, reporter }: ScriptInit): Promise<number> {
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
    const result = await shell.run(plan, { onProgress: (progress) => reporter.progress(progress) });
    reporter.report(result, where(plan.line));
    if (!result.ok) code = 1;
    if (shell.session.done || (!result.ok && !keepGoing)) break;
  }
  return code;
}
