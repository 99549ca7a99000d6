import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { checkProgram } from './check.ts';
import type { Problem } from './problem.ts';
import { typesFile } from './types.ts';

export interface WholeCheck {
  readonly problems: readonly Problem[];
  /** The author's own if there is one, else ours. */
  readonly compiler: Compiler | undefined;
}

/**
 * `checkProgram`, and the types too, where the author's project has a compiler.
 * @param init `javascript: false` spares the compiler where the program has no part in TypeScript; `ours: true` has our own
 * look at it where the project has none.
 */
export async function checkWhole(
  program: string,
  signal: AbortSignal,
  { javascript = true, ours = false } = {},
): Promise<WholeCheck> {
  const { problems, files } = await checkProgram(program);
  const isTyped = javascript || files.some((file) => file.endsWith('.ts'));
  const folders = [dirname(resolve(program)), ...(ours ? [import.meta.dirname] : [])];
  const compiler = isTyped ? findCompiler(folders) : undefined;
  const isThere = problems.every(({ line, severity }) => line > 0 || severity === 'warning');
  const types = compiler === undefined || !isThere ? [] : await typeProblems(program, compiler, signal);
  return {
    problems: [...problems, ...types.filter((type) => !problems.some((other) => isSame(type, other)))],
    compiler,
  };
}

/** One line of broken syntax is told once. */
function isSame(problem: Problem, other: Problem): boolean {
  return problem.file === other.file && problem.line === other.line && other.severity === 'error';
}

/** A compiler of TypeScript. */
export interface Compiler {
  readonly version: string;
  /** Its command, a script for Node. */
  readonly script: string;
}

/** @returns the TypeScript that programs in the first of the folders would use, or in the next; or undefined. */
function findCompiler([folder, ...others]: readonly string[]): Compiler | undefined {
  if (folder === undefined) return undefined;
  try {
    const manifest = createRequire(join(folder, 'program.js')).resolve('typescript/package.json');
    const { version, bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string; bin: { tsc: string } };
    return { version, script: join(dirname(manifest), bin.tsc) };
  } catch {
    return findCompiler(others);
  }
}

/** What a vessel has, whatever a project says of other places that it runs in. */
const WORLD = {
  lib: ['esnext'],
  types: [],
  noEmit: true,
  composite: false,
  incremental: false,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
  moduleDetection: 'force',
} as const;
const DEFAULTS = {
  strict: true,
  target: 'esnext',
  module: 'esnext',
  moduleResolution: 'bundler',
  allowJs: true,
} as const;

/**
 * Has a compiler look at a program, by the `tsconfig.json` of its project where there is one.
 * @returns errors in files of the author's, named from the program's folder
 */
async function typeProblems(program: string, compiler: Compiler, signal: AbortSignal): Promise<Problem[]> {
  const file = resolve(program);
  const folder = dirname(file);
  const project = findProject(folder);
  const directory = await mkdtemp(join(tmpdir(), 'repy-types-'));
  try {
    const config = join(directory, 'tsconfig.json');
    const extended =
      project === undefined
        ? { compilerOptions: { ...DEFAULTS, ...WORLD } }
        : { extends: project, compilerOptions: WORLD };
    await writeFile(config, JSON.stringify({ ...extended, files: [file, ...ownTypes(file)], include: [] }));
    return parse(await run([compiler.script, '-p', config, '--pretty', 'false'], folder, signal), folder);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function findProject(folder: string): string | undefined {
  const path = join(folder, 'tsconfig.json');
  if (existsSync(path)) return path;
  const above = dirname(folder);
  return above === folder ? undefined : findProject(above);
}

/** A program that names its own copy of the types would have them twice. */
function ownTypes(file: string): string[] {
  return /^\s*\/\/\/\s*<reference path=.*\brepy\.d\.ts/m.test(readFileSync(file, 'utf8')) ? [] : [typesFile()];
}

async function run(args: readonly string[], cwd: string, signal: AbortSignal): Promise<string> {
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
    killSignal: 'SIGKILL',
  });
  child.on('error', () => {});
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await once(child, 'close');
  return text;
}

/** Lines such as `lib/a.ts(3,7): error TS2322: ...`; what is indented below belongs to the one above. */
function parse(text: string, folder: string): Problem[] {
  const problems: Problem[] = [];
  for (const line of text.split('\n')) {
    const match = /^(.+)\((\d+),(\d+)\): error (TS\d+: .*)$/.exec(line.trimEnd());
    if (match === null) continue;
    const [, file = '', row = '', column = '', message = ''] = match;
    const lineText = lineOf(resolve(folder, file), Number(row));
    const length = /^[\w$]*/.exec(lineText.slice(Number(column) - 1))?.[0].length ?? 1;
    const place = { file, line: Number(row), column: Number(column), length: Math.max(1, length) };
    problems.push({ severity: 'error', ...place, message, lineText });
  }
  return problems;
}

function lineOf(path: string, line: number): string {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/)[line - 1] ?? '';
  } catch {
    return '';
  }
}
