import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type FileName, fileNameSchema } from '@potluck/protocol';
import type { Problem } from '@potluck/repy-api';
import { CommandError } from './errors.ts';
import type { Context } from './session.ts';
import { count } from './style.ts';

/** Something that the author of a program has to change, before anything of it is uploaded. */
export type ProblemEvent = {
  readonly event: 'problem';
  /** The line with its number, and a mark below it. */
  readonly excerpt: string;
} & Omit<Problem, 'lineText' | 'length'>;

export interface BundleOptions {
  /** Whether to look for mistakes first, of types too in TypeScript. */
  readonly check: boolean;
}

/** A directory stands for the `main.ts` or `main.js` in it, under the directory's name. @throws CommandError, ProgramError */
export async function bundled(
  context: Context,
  path: string,
  { check }: BundleOptions,
): Promise<{ name: FileName; bytes: Uint8Array }> {
  const isDirectory = (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
  const file = isDirectory ? await mainOf(path) : path;
  const { bundleProgram, checkWhole } = await import('@potluck/repy-api'); // Brings esbuild: only `run` waits for it.
  const bundle = await bundleProgram(file);
  if (check) {
    const { problems } = await checkWhole(file, context.signal, { javascript: false, ours: true });
    await refuseBroken(context, file, problems);
  }
  const name = isDirectory ? programName(`${basename(path)}.js`) : bundle.name;
  return { name, bytes: Buffer.from(bundle.source, 'utf8') };
}

/** @throws CommandError BAD_NAME */
export function programName(text: string): FileName {
  const name = fileNameSchema.safeParse(text);
  if (name.success) return name.data;
  throw new CommandError('BAD_NAME', `expected the name of a file in the vessel, such as hello.js, got "${text}"`);
}

async function refuseBroken(context: Context, file: string, problems: readonly Problem[]): Promise<void> {
  const { excerptOf } = await import('@potluck/repy-api');
  for (const { lineText, length, ...problem } of problems) {
    await context.tell({ event: 'problem', ...problem, excerpt: excerptOf(problem, lineText, length) });
  }
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (errors === 0) return;
  const message = `expected a program without problems, got ${count(errors, 'problem')} in ${basename(file)}`;
  throw new CommandError('PROGRAM_BROKEN', `${message}: mend them, or say "run --no-check"`);
}

async function mainOf(directory: string): Promise<string> {
  for (const path of [join(directory, 'main.ts'), join(directory, 'main.js')]) {
    if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  }
  throw new CommandError('FILE_MISSING', `expected main.ts or main.js in ${directory}, got neither`);
}
