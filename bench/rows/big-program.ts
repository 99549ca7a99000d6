import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '@potluck/repy-api';
import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { BenchError } from '../src/errors.ts';
import { interleave, type Result, type Row } from '../src/row.ts';
import { runProgram } from '../src/vessel.ts';

const ROUNDS = 11;
const FILES = 20;
const FUNCTIONS = 100;
const REPY = fileURLToPath(new URL('../../vessel-runtime/bin/repy.ts', import.meta.url));

/** Ten lines. */
const functionText = (file: number, at: number) => `
export function step${at}(state: State, amount = ${at}): number {
  const { count, names } = state;
  if (count > ${file * FUNCTIONS + at}) {
    names.push(\`step \${amount} of part ${file}\`);
    return names.length;
  }
  for (const name of names) state.count += name.length;
  return state.count + amount;
}
`;

const fileText = (file: number) =>
  `export interface State { count: number; names: string[] }\n${Array.from({ length: FUNCTIONS }, (_, at) => functionText(file, at)).join('')}`;

/** 20,000 lines of TypeScript in 20 files; all of it is kept by the bundler. */
async function writeProgram(directory: string): Promise<string> {
  const parts = Array.from({ length: FILES }, (_, file) => file);
  for (const file of parts) await writeFile(join(directory, `part${file}.ts`), fileText(file));
  const imports = parts.map((file) => `import * as part${file} from './part${file}.ts';`);
  const table = `const parts = { ${parts.map((file) => `part${file}`).join(', ')} };`;
  const main = [...imports, table, `log(Object.values(parts).length > 0 ? 'up' : '');`, ''];
  const path = join(directory, 'big.ts');
  await writeFile(path, main.join('\n'));
  return path;
}

async function start(files: RuntimeFiles, source: string): Promise<number> {
  await using program = await runProgram(files, source);
  return program.ms;
}

async function repy(path: string): Promise<number> {
  const begin = performance.now();
  const [code] = (await once(spawn(process.execPath, [REPY, path], { stdio: 'ignore' }), 'exit')) as [number | null];
  if (code === 0) return performance.now() - begin;
  throw new BenchError('CHILD_FAILED', `expected repy to run ${path}, got exit code ${code}`);
}

async function measure(files: RuntimeFiles, directory: string): Promise<Result[]> {
  await mkdir(join(directory, 'big'));
  const big = await writeProgram(join(directory, 'big'));
  const empty = join(directory, 'empty.ts');
  await writeFile(empty, `log('up');\n`);
  const [bigSource, emptySource] = [(await bundleProgram(big)).source, (await bundleProgram(empty)).source];
  const started = await interleave(
    ROUNDS,
    () => start(files, bigSource),
    () => start(files, emptySource),
  );
  const run = await interleave(
    ROUNDS,
    () => repy(big),
    () => repy(empty),
  );
  const common = { unit: 'ms', better: 'less' } as const;
  const counted = `a program of 20,000 lines of TypeScript / of one line; median of ${ROUNDS}`;
  const first = `warm process, start to first log line: ${counted}`;
  return [
    { row: 'start of 20,000 lines', ...started, ...common, goal: { mostBeyond: 50 }, counted: first },
    { row: 'repy of 20,000 lines', ...run, ...common, counted: `bundling, cold process, run: ${counted}` },
  ];
}

export const bigProgram: Row = {
  name: 'big-program',
  run: async (files) => {
    const directory = await mkdtemp(join(tmpdir(), 'potluck-bench-'));
    try {
      return await measure(files, directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
