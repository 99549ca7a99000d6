import { dirname, resolve } from 'node:path';
import { checkProgram, type Problem } from '@potluck/repy-api';
import type { Reporter } from './reporter.ts';
import { findCompiler, typeProblems } from './typescript.ts';

/**
 * `repy check`: tells all that would keep a program from running, without running it; types too, where the author's
 * project has a compiler.
 * @returns whether there was nothing but warnings
 */
export async function check(program: string, reporter: Reporter, stop: AbortSignal): Promise<boolean> {
  const { problems } = await checkProgram(program);
  const compiler = findCompiler(dirname(resolve(program)));
  const isThere = problems.every(({ line, severity }) => line > 0 || severity === 'warning');
  const types = compiler === undefined || !isThere ? [] : await typeProblems(program, compiler, stop);
  const all = [...problems, ...types.filter((problem) => !problems.some((other) => isSame(problem, other)))];
  for (const problem of all) reporter.problem(problem);
  const errors = all.filter(({ severity }) => severity === 'error').length;
  reporter.checked({ program, errors, warnings: all.length - errors, typescript: compiler?.version ?? null });
  return errors === 0;
}

/** One line of broken syntax is told once. */
function isSame(problem: Problem, other: Problem): boolean {
  return problem.file === other.file && problem.line === other.line && other.severity === 'error';
}
