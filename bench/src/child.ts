import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { BenchError } from './errors.ts';

/** Runs one of the plain programs in `plain/` to its end. @returns the number that it prints. */
export async function figureOf(script: string, args: readonly (string | number)[]): Promise<number> {
  const child = spawnPlain(script, args);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const figure = Number(text.trim() || Number.NaN);
  if (code !== 0 || !Number.isFinite(figure)) {
    throw new BenchError('NO_FIGURE', `expected a figure from ${script}, got "${text.trim()}" and exit code ${code}`);
  }
  return figure;
}

/** Starts one of the plain servers in `plain/`; resolves when it has said that it listens. */
export async function plainServer(script: string, args: readonly (string | number)[]): Promise<AsyncDisposable> {
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

function spawnPlain(script: string, args: readonly (string | number)[]): ChildProcess {
  const path = fileURLToPath(new URL(`../plain/${script}`, import.meta.url));
  return spawn(process.execPath, [path, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
}
