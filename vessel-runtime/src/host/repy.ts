import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, describeError, type Ending, parseRestrictions, type Restrictions } from '@potluck/protocol';
import { bundleProgram } from '@potluck/repy-api';
import { runtimeFiles } from '../build.ts';
import { parseRepyArguments, type RepyArguments, USAGE } from './arguments.ts';
import { DEFAULT_RESTRICTIONS } from './default-restrictions.ts';
import { Governor } from './governor.ts';
import { signalNumber } from './launch.ts';
import { VesselProcess } from './vessel-process.ts';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs one program in a vessel on this machine: its log to stdout as it is written, the reason of its end to stderr
 * unless it ended well.
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
    const parsed = parseRepyArguments(argv);
    if (parsed.program === undefined) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const ending = await run(parsed, parsed.program, stop.signal);
    const well = ending.kind === 'finished' || ending.kind === 'exitall';
    if (!well) process.stderr.write(`repy: ${ending.message}\n`);
    return ending.exitCode;
  } catch (error) {
    process.stderr.write(`repy: ${describeError(error)}\n`);
    return error instanceof ConfigError && error.code === 'USAGE' ? 2 : 1;
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    process.stdout.off('error', onOutputError);
  }
}

async function run(parsed: RepyArguments, program: string, stop: AbortSignal): Promise<Ending> {
  const restrictions = await readRestrictions(parsed.restrictionsFile);
  const { name, source } = await bundleProgram(program);
  await using vessel = await readyProcess(restrictions.quantities.memory);
  await using governor = new Governor();
  await governor.start();
  const { cpu, memory } = restrictions.quantities;
  governor.watch(vessel, { cpu, memoryBytes: memory });
  vessel.onLog = (text) => process.stdout.write(text);
  const onStop = () => vessel.kill(stop.reason as Ending);
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  vessel.start({ program: { name, source }, args: parsed.args, address: parsed.address, restrictions });
  return await vessel.ended;
}

async function readRestrictions(file: string | undefined): Promise<Restrictions> {
  if (file === undefined) return parseRestrictions(DEFAULT_RESTRICTIONS, 'default restrictions');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigError('RESTRICTIONS_BROKEN', `expected a restrictions file at ${file}`, { cause });
  });
  return parseRestrictions(text, file);
}

/** A ready process has read all its files, so nothing of ours stays on the disk while the program runs. */
async function readyProcess(memoryBytes: number): Promise<VesselProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'repy-'));
  try {
    const vessel = VesselProcess.spawn(await runtimeFiles(directory), { memoryBytes });
    await vessel.ready;
    return vessel;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
