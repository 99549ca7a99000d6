import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type Ending, parseRestrictions, type Restrictions } from '@potluck/protocol';
import { runtimeFiles } from '../build.ts';
import { Governor } from '../host/governor.ts';
import { NameResolver } from '../host/resolver.ts';
import { type StartInit, VesselProcess } from '../host/vessel-process.ts';
import { DEFAULT_RESTRICTIONS } from './default-restrictions.ts';

export interface RunHooks {
  readonly onLog: (text: string) => void;
  /** The program runs now. */
  readonly onStart: () => void;
  /** Ends the program; its reason is an `Ending`. */
  readonly stop: AbortSignal;
}

export interface Outcome {
  readonly ending: Ending;
  /** What it used last, by the names of resources. */
  readonly usage: Readonly<Record<string, number>>;
}

/** Runs one program in a vessel of its own on this machine, held to its restrictions as on a node, to its end. */
export async function runProgram(init: StartInit, { onLog, onStart, stop }: RunHooks): Promise<Outcome> {
  const { cpu, memory } = init.restrictions.quantities;
  await using vessel = await readyProcess(memory);
  await using governor = new Governor();
  await governor.start();
  governor.watch(vessel, { cpu, memoryBytes: memory });
  const started = once(onStart);
  // The first log line may come together with the word that the program began.
  vessel.onLog = (text) => {
    started();
    onLog(text);
  };
  const onStop = () => vessel.kill(stop.reason as Ending);
  stop.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  vessel.started.then(started, () => {});
  vessel.start({ resolver: new NameResolver(), ...init });
  const ending = await vessel.ended;
  stop.removeEventListener('abort', onStop);
  return { ending, usage: vessel.usage() };
}

function once(fn: () => void): () => void {
  let rest = fn;
  return () => {
    const now = rest;
    rest = () => {};
    now();
  };
}

/** @throws ConfigError RESTRICTIONS_BROKEN */
export async function readRestrictions(file: string | undefined): Promise<Restrictions> {
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
