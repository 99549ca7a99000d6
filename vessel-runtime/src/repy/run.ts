import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, type Ending, parseRestrictions, type Restrictions } from '@potluck/protocol';
import { runtimeFiles } from '../build.ts';
import { Disk } from '../host/disk.ts';
import { FileSession } from '../host/file-session.ts';
import { Governor } from '../host/governor.ts';
import { NameResolver } from '../host/resolver.ts';
import { type StartInit, VesselProcess } from '../host/vessel-process.ts';
import { DEFAULT_RESTRICTIONS } from './default-restrictions.ts';

export interface RunHooks {
  readonly onLog: (text: string) => void;
  /** The program runs now. */
  readonly onStart: () => void;
  /** Tells and ends the program; its reason is an `Ending`. */
  readonly stop: AbortSignal;
  /** Gives it no more time. */
  readonly hurry: AbortSignal;
  /** Where the program's files are; undefined for a place that is gone at the end. */
  readonly filesDirectory: string | undefined;
}

export interface Outcome {
  readonly ending: Ending;
  /** What it used last, by the names of resources. */
  readonly usage: Readonly<Record<string, number>>;
  /** Files that are gone now. */
  readonly filesGone: number;
}

/** Runs one program in a vessel of its own on this machine, held to its restrictions as on a node, to its end. */
export async function runProgram(
  init: StartInit,
  { onLog, onStart, stop, hurry, ...hooks }: RunHooks,
): Promise<Outcome> {
  const { quantities } = init.restrictions;
  const { cpu, memory, diskused } = quantities;
  await using directory = await filesDirectory(hooks.filesDirectory);
  const disk = new Disk({ directory: directory.path, limitBytes: diskused });
  await disk.count();
  await using vessel = await readyProcess(memory);
  await using governor = new Governor();
  await governor.start();
  await governor.watch(vessel, { cpu, memoryBytes: memory });
  const started = once(onStart);
  // The first log line may come together with the word that the program began.
  vessel.onLog = (text) => {
    started();
    onLog(text);
  };
  const onStop = () => vessel.stop(stop.reason as Ending);
  stop.addEventListener('abort', onStop);
  hurry.addEventListener('abort', onStop);
  if (stop.aborted) onStop();
  vessel.started.then(started, () => {});
  const files = new FileSession(disk, { quantities, tell: (usage) => vessel.tell(usage) });
  vessel.start({ resolver: new NameResolver(), ...init, services: files.services });
  const ending = await vessel.ended;
  await files.stop();
  stop.removeEventListener('abort', onStop);
  hurry.removeEventListener('abort', onStop);
  const usage = { ...vessel.usage(), diskused: disk.usedBytes };
  return { ending, usage, filesGone: hooks.filesDirectory === undefined ? disk.names.length : 0 };
}

/** @throws ConfigError CONFIG_BROKEN */
async function filesDirectory(kept: string | undefined): Promise<AsyncDisposable & { path: string }> {
  if (kept !== undefined) {
    await mkdir(kept, { recursive: true }).catch((cause: unknown) => {
      throw new ConfigError('CONFIG_BROKEN', `expected a directory after --files, got "${kept}"`, { cause });
    });
    return { path: kept, [Symbol.asyncDispose]: async () => {} };
  }
  const path = await mkdtemp(join(tmpdir(), 'repy-files-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
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
