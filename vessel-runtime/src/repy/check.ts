import { checkWhole } from '@potluck/repy-api';
import type { Reporter } from './reporter.ts';

/**
 * `repy check`: tells all that would keep a program from running, without running it; types too, where the author's
 * project has a compiler.
 * @returns whether there was nothing but warnings
 */
export async function check(program: string, reporter: Reporter, stop: AbortSignal): Promise<boolean> {
  const { problems, compiler } = await checkWhole(program, stop);
  for (const problem of problems) reporter.problem(problem);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  reporter.checked({ program, errors, warnings: problems.length - errors, typescript: compiler?.version ?? null });
  return errors === 0;
}
