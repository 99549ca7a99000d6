import { dirname, resolve } from 'node:path';
import { ConfigError, describeError, type Ending, PotluckError } from '@potluck/protocol';
import { bundleLayer, bundleProgram, type ProgramBundle, ProgramError } from '@potluck/repy-api';
import { signalNumber } from '../host/launch.ts';
import { check } from './check.ts';
import { helpText, parseRepyArguments, type RepyArguments, type RepyOptions } from './options.ts';
import { jsonReporter, type Output, type Reporter, textReporter } from './reporter.ts';
import { type RunHooks, readRestrictions, runProgram } from './run.ts';
import { type WatchHooks, watchProgram } from './watch.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const DEFAULT_ADDRESS = '127.0.0.1';
/** What kept a program from starting; a wrong command line. The other codes are those of endings. */
const EXIT = { failed: 1, usage: 2 } as const;

const output: Output = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

/**
 * The command: runs one program in a vessel on this machine. Its log goes to stdout as it is written, the reason of its
 * end to stderr unless it ended well; with `--json` both are lines on stdout.
 * @returns the exit code: the program's, 2 for a wrong command line, 1 for what kept it from starting, 128 and the
 * signal's number when it was stopped by one.
 */
export async function repy(argv: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const hurry = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    // A second one is of somebody who does not want to wait.
    if (stop.signal.aborted) hurry.abort();
    stop.abort({ kind: 'stopped', message: `stopped by ${signal}`, exitCode: 128 + signalNumber(signal) });
  };
  const onOutputError = () => stop.abort({ kind: 'stopped', message: 'nobody reads its log', exitCode: 141 });
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  process.stdout.on('error', onOutputError);
  try {
    return await perform(parseRepyArguments(argv), { stop: stop.signal, hurry: hurry.signal });
  } catch (error) {
    output.err(`repy: ${describeError(error)}\n`);
    return error instanceof ConfigError && error.code === 'USAGE' ? EXIT.usage : EXIT.failed;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    process.stdout.off('error', onOutputError);
  }
}

async function perform({ command, options, layers, programs, args }: RepyArguments, stops: Stops): Promise<number> {
  if (command === 'help') output.out(helpText());
  let code = 0;
  for (const program of programs) {
    const folder = dirname(resolve(program));
    const reporter = options.json === undefined ? textReporter(output, folder) : jsonReporter(output);
    try {
      if (command === 'run') code = await run({ program, options, layers, args }, reporter, stops);
      else if (!(await check(program, reporter, stops.stop))) code = EXIT.failed;
    } catch (error) {
      tell(error, reporter);
      code = EXIT.failed;
    }
  }
  return code;
}

type Stops = Pick<RunHooks, 'stop' | 'hurry'>;

interface Run {
  readonly program: string;
  readonly options: RepyOptions;
  readonly layers: readonly string[];
  readonly args: readonly string[];
}

async function run(given: Run, reporter: Reporter, { stop, hurry }: Stops): Promise<number> {
  const { program, options } = given;
  if (options.watch === undefined) return await runOnce(given, await bundleProgram(program), { reporter, stop, hurry });
  const more = options.restrictions === undefined ? [] : [resolve(options.restrictions)];
  more.push(...given.layers.map((layer) => resolve(layer)));
  const hooks: WatchHooks = {
    run: async (bundle, signal) => {
      await runOnce(given, bundle, { reporter, stop: signal, hurry }).catch((error: unknown) => tell(error, reporter));
    },
    broken: (error) => tell(error, reporter),
    changed: reporter.changed,
  };
  // It ends by a signal only.
  const ending = await watchProgram(program, more, hooks, stop).catch((reason: unknown) => reason);
  if (!stop.aborted) throw ending;
  return (stop.reason as Ending).exitCode;
}

interface Around extends Stops {
  readonly reporter: Reporter;
}

async function runOnce(
  { program, options, layers, args }: Run,
  bundle: ProgramBundle,
  around: Around,
): Promise<number> {
  const { reporter, stop, hurry } = around;
  const address = options.ip ?? DEFAULT_ADDRESS;
  const restrictions = await readRestrictions(options.restrictions);
  const { ending, usage, filesGone } = await runProgram(
    {
      program: { name: bundle.name, source: bundle.source },
      layers: await Promise.all(layers.map(bundleLayer)),
      args,
      address,
      restrictions,
    },
    {
      onLog: reporter.log,
      onStart: () => reporter.started({ program, ip: address, args }),
      stop,
      hurry,
      filesDirectory: options.files,
    },
  );
  reporter.ended(ending, usage);
  if (filesGone > 0) reporter.filesGone(filesGone);
  return ending.exitCode;
}

/** Says each problem of a program at its place, and anything else in one sentence. */
function tell(error: unknown, reporter: Reporter): void {
  const problems = error instanceof ProgramError ? error.problems : [];
  for (const problem of problems) reporter.problem(problem);
  if (problems.length > 0) return;
  reporter.failed(describeError(error), error instanceof PotluckError ? error.code : 'INTERNAL');
}
