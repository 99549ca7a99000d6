import { parseArgs } from 'node:util';
import { describeError } from '@potluck/protocol';
import { buildPayload } from './build.ts';
import { InstallError } from './errors.ts';

const USAGE = 'usage: installer build --out FILE';

/** `installer build --out FILE`. @returns the exit code: 2 for a wrong command line, 1 for any other failure. */
export async function buildMain(args: readonly string[]): Promise<number> {
  try {
    const startedAt = performance.now();
    const { path, sizeBytes, rebuilt } = await buildPayload(readOut(args));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const how = rebuilt ? `built in ${seconds} s` : 'its parts have not changed';
    console.log(`${path}: ${(sizeBytes / 1e6).toFixed(1)} MB, ${how}`);
    return 0;
  } catch (error) {
    console.error(`installer: ${describeError(error)}`);
    return error instanceof InstallError && error.code === 'USAGE' ? 2 : 1;
  }
}

function readOut(args: readonly string[]): string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { out: { type: 'string' } },
      allowPositionals: true,
    });
    if (positionals.length === 1 && positionals[0] === 'build' && values.out) return values.out;
  } catch (cause) {
    throw new InstallError('USAGE', `expected "build --out FILE", got "${args.join(' ')}"; ${USAGE}`, { cause });
  }
  throw new InstallError('USAGE', `expected "build --out FILE", got "${args.join(' ')}"; ${USAGE}`);
}
