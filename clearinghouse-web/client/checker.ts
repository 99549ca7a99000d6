/// A worker of its own: the compiler takes a second to start, and must not hold up who types.
import { answerQuestions } from './asking.ts';
import type { CheckAnswer, CheckRequest } from './check.ts';
import { type Compiler, TypeChecker } from './types.ts';

let loading: Promise<TypeChecker> | undefined;

answerQuestions<CheckRequest, CheckAnswer>(async ({ entry, files, compiler }) => {
  try {
    loading ??= load(compiler);
    return { problems: (await loading).check(entry, files) };
  } catch (error) {
    loading = undefined;
    return { broken: (error as Error).message };
  }
});

async function load(url: string): Promise<TypeChecker> {
  return new TypeChecker((await import(url)) as Compiler);
}
