import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.ts';
import type { Pair } from './row.ts';

type Arguments = readonly (string | number)[];

/** Runs one of the plain programs in `plain/` to its end. @returns the number that it prints. */
export async function figureOf(script: string, args: Arguments, flags: readonly string[] = []): Promise<number> {
  const [figure = Number.NaN, ...more] = await figures(spawnPlain(script, args, { flags }), script);
  if (more.length === 0) return figure;
  throw new BenchError('NO_FIGURE', `expected one figure from ${script}, got ${more.length + 1}`);
}

/** Runs one of the clients in `plain/` that serve both sides in turn. @returns what it prints, one pair a line. */
export async function pairsOf(script: string, args: Arguments, env: NodeJS.ProcessEnv = {}): Promise<Pair[]> {
  const values = await figures(spawnPlain(script, args, { env }), script);
  return values.flatMap((value, at): Pair[] => (at % 2 === 1 ? [[values[at - 1] ?? Number.NaN, value]] : []));
}

/** Runs the text of a plain program, with `log` to print its figure. */
export function figureOfText(text: string): Promise<number> {
  const args = ['--input-type=module', '-e', `const log = console.log;\n${text}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return figures(child, 'a plain program').then(([figure = Number.NaN]) => figure);
}

async function figures(child: ChildProcess, name: string): Promise<number[]> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const values = text.trim().split(/\s+/).map(Number);
  if (code === 0 && text.trim() !== '' && values.every(Number.isFinite)) return values;
  throw new BenchError('NO_FIGURE', `expected figures from ${name}, got "${text.trim()}" and exit code ${code}`);
}

/** Starts one of the plain servers in `plain/`; resolves when it has said that it listens. */
export async function plainServer(script: string, args: Arguments): Promise<AsyncDisposable> {
  const child = spawnPlain(script, args);
  const gone = once(child, 'close');
  const failed = gone.then(() => {
    throw new BenchError('CHILD_FAILED', `expected ${script} to listen, it ended`);
  });
  await Promise.race([once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data'), failed]);
  failed.catch(() => {});
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

interface PlainOptions {
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

function spawnPlain(script: string, args: Arguments, { flags = [], env = {} }: PlainOptions = {}): ChildProcess {
  const path = fileURLToPath(new URL(`../plain/${script}`, import.meta.url));
  const command = [...flags, path, ...args.map(String)];
  return spawn(process.execPath, command, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
}
