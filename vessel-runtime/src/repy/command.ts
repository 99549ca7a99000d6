import { dirname, resolve } from 'node:path';
import { ConfigError, describeError, PotluckError } from '@potluck/protocol';
import { bundleProgram, ProgramError } from '@potluck/repy-api';
import { signalNumber } from '../host/launch.ts';
import { helpText, parseRepyArguments, type RepyArguments } from './options.ts';
import { jsonReporter, type Output, type Reporter, textReporter } from './reporter.ts';
import { readRestrictions, runProgram } from './run.ts';

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
  const onSignal = (signal: NodeJS.Signals) =>
    stop.abort({ kind: 'stopped', message: `stopped by ${signal}`, exitCode: 128 + signalNumber(signal) });
  const onOutputError = () => stop.abort({ kind: 'stopped', message: 'nobody reads its log', exitCode: 141 });
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  process.stdout.on('error', onOutputError);
  try {
    return await perform(parseRepyArguments(argv), stop.signal);
  } catch (error) {
    output.err(`repy: ${describeError(error)}\n`);
    return error instanceof ConfigError && error.code === 'USAGE' ? EXIT.usage : EXIT.failed;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    process.stdout.off('error', onOutputError);
  }
}

async function perform(parsed: RepyArguments, stop: AbortSignal): Promise<number> {
  const { options, program } = parsed;
  if (program === undefined || options.help !== undefined) {
    output.out(helpText());
    return 0;
  }
  const folder = dirname(resolve(program));
  const reporter = options.json === undefined ? textReporter(output, folder) : jsonReporter(output);
  try {
    return await run({ ...parsed, program }, reporter, stop);
  } catch (error) {
    tell(error, reporter);
    return EXIT.failed;
  }
}

async function run(
  parsed: RepyArguments & { program: string },
  reporter: Reporter,
  stop: AbortSignal,
): Promise<number> {
  const { options, program, args } = parsed;
  const address = options.ip ?? DEFAULT_ADDRESS;
  const restrictions = await readRestrictions(options.restrictions);
  const { name, source } = await bundleProgram(program);
  const { ending, usage } = await runProgram(
    { program: { name, source }, args, address, restrictions },
    { onLog: reporter.log, onStart: () => reporter.started({ program, ip: address, args }), stop },
  );
  reporter.ended(ending, usage);
  return ending.exitCode;
}

/** Says each problem of a program at its place, and anything else in one sentence. */
function tell(error: unknown, reporter: Reporter): void {
  const problems = error instanceof ProgramError ? error.problems : [];
  for (const problem of problems) reporter.problem(problem);
  if (problems.length > 0) return;
  reporter.failed(describeError(error), error instanceof PotluckError ? error.code : 'INTERNAL');
}
