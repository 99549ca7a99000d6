import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { addressSchema, describeError } from '@potluck/protocol';
import { z } from 'zod';
import { Demo, type Stage } from './demo.ts';
import { DemoError } from './errors.ts';
import { lock } from './lock.ts';
import { Narrator } from './narrator.ts';

const STEPS = 9;
const portSchema = z.coerce.number().pipe(addressSchema.shape.port);
const root = join(import.meta.dirname, '..', '..');

/** Plays the demonstration; @returns the exit code. */
export async function main(argv: string[]): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  try {
    const options = optionsOf(argv);
    return await play(options, stop.signal);
  } catch (error) {
    console.error(`npm start: ${describeError(error)}`);
    return error instanceof DemoError && error.code === 'USAGE' ? 2 : 1;
  }
}

interface Options {
  once: boolean;
  onePlace: boolean;
  directory: string;
  portalPort: number | undefined;
}

function optionsOf(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        once: { type: 'boolean' },
        'one-address': { type: 'boolean' },
        directory: { type: 'string' },
        'portal-port': { type: 'string' },
      },
    });
    const directory = resolve(values.directory ?? join(root, '.potluck', 'demo'));
    const portalPort = portSchema.optional().parse(values['portal-port']);
    return { once: values.once === true, onePlace: values['one-address'] === true, directory, portalPort };
  } catch {
    const usage = '[--once] [--one-address] [--directory DIR] [--portal-port PORT]';
    throw new DemoError('USAGE', `expected "npm start -- ${usage}", got "${args.join(' ')}"`);
  }
}

async function play(options: Options, signal: AbortSignal): Promise<number> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    const here = `${process.platform} ${process.arch}`;
    throw new DemoError('UNSUPPORTED', `expected Linux on x64, the only installer of this version, got ${here}`);
  }
  await mkdir(dirname(options.directory), { recursive: true }).catch((cause: Error) => {
    throw new DemoError('USAGE', `expected a directory that can be made, got ${options.directory}`, { cause });
  });
  using _held = await lock(options.directory);
  const narrator = new Narrator(STEPS, signal);
  const demo = new Demo(
    { narrator, signal },
    {
      directory: options.directory,
      payload: join(root, '.potluck', 'payload', 'potluck-linux-x64.tgz'),
      example: join(root, 'examples', 'all-pairs-ping'),
      onePlace: options.onePlace,
      portalPort: options.portalPort,
    },
  );
  try {
    const stage = await demo.play();
    console.log(`\nAll of it took ${narrator.totalSeconds.toFixed(1)} s.`);
    if (options.once) return 0;
    console.log(welcome(stage));
    if (!signal.aborted) await once(signal, 'abort');
    return 0;
  } finally {
    console.log('\nEnding all of it ...');
    await demo.stop();
    console.log('Nothing is left running.');
  }
}

function welcome({ portalUrl, pageUrl, donor, user, userDirectory }: Stage): string {
  const name = user.username;
  const strong = (text: string): string => styleText('bold', text);
  return `
The potluck is open.

  ${strong('Matrix')}   ${pageUrl}   served by the vessels themselves
  ${strong('Portal')}   ${portalUrl}
           log in as ${strong(name)}, password ${strong(user.password)} (holds three vessels)
           or as ${strong(donor.username)}, password ${strong(donor.password)} (donated three nodes)
  ${strong('Shell')}    cd ${userDirectory}
           npx seash --clearinghouse ${portalUrl}
           then type: loadkeys ${name}, as ${name}, browse, list, on %all show log

Ctrl-C ends all of it.`;
}
