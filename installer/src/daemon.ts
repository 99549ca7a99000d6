import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { writeJson } from '@potluck/protocol';
import { InstallError } from './errors.ts';
import { type Layout, type Listening, listeningSchema, readJson } from './layout.ts';
import { isRunning, markOf, type ProcessMark, processMarkSchema, signal, waitForEnd } from './process.ts';

/** Limits of starting and stopping; docs/LIMITS.md lists them. */
export const DAEMON_LIMITS = {
  /** From the start of the node manager until it listens. */
  startMs: 30_000,
  /** From SIGTERM to its end; then SIGKILL follows. */
  stopMs: 15_000,
  /** From SIGKILL to its end. */
  killMs: 5_000,
  /** Of its last words, when it does not start. */
  lastWordsLength: 500,
} as const;

/** The node manager of an installation that runs now. */
export interface Daemon {
  readonly mark: ProcessMark;
  /** Undefined while it is not listening. */
  readonly listening: Listening | undefined;
}

export async function findDaemon(layout: Layout): Promise<Daemon | undefined> {
  const mark = await readJson(layout.process, processMarkSchema);
  if (mark === undefined || !(await isRunning(mark, layout.daemon))) return undefined;
  return { mark, listening: await readListening(layout, mark.pid) };
}

/**
 * Starts the node manager in the background and waits until it listens.
 * @throws InstallError START_FAILED with its last words; then nothing runs
 */
export async function startDaemon(layout: Layout): Promise<Listening> {
  await rm(layout.address, { force: true }); // Of a node manager that was killed.
  const output = await open(layout.output, 'w', 0o600);
  const child = spawn(layout.node, [layout.daemon, 'run', '--state', layout.state, '--runtime', layout.lib], {
    cwd: layout.directory,
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: process.env.HOME ?? '/', LANG: 'C.UTF-8' },
  });
  try {
    await once(child, 'spawn');
    await recordProcess(layout, child.pid ?? 0);
    const listening = await untilListening(layout, child);
    child.unref();
    return listening;
  } catch (error) {
    if (child.kill('SIGKILL')) await once(child, 'exit');
    await rm(layout.process, { force: true });
    throw error;
  } finally {
    await output.close();
  }
}

async function recordProcess(layout: Layout, pid: number): Promise<void> {
  const mark = await markOf(pid);
  if (mark === undefined) return; // It has ended already; `untilListening` says why.
  await writeJson(layout.process, mark);
}

async function untilListening(layout: Layout, child: ChildProcess): Promise<Listening> {
  const { promise, resolve, reject } = Promise.withResolvers<Listening>();
  const look = (): void => {
    readListening(layout, child.pid).then((found) => found && resolve(found), reject);
  };
  const ended = (): void => {
    lastWords(layout).then((words) => reject(new InstallError('START_FAILED', words)), reject);
  };
  const watcher = watch(layout.state, look);
  const limit = `expected the node manager to listen within ${DAEMON_LIMITS.startMs / 1000} s, it does not`;
  const timer = setTimeout(() => reject(new InstallError('START_FAILED', limit)), DAEMON_LIMITS.startMs);
  child.once('exit', ended);
  try {
    if (child.exitCode !== null || child.signalCode !== null) ended();
    look(); // It may have been written before the watcher stood.
    return await promise;
  } finally {
    clearTimeout(timer);
    watcher.close();
    child.off('exit', ended);
  }
}

async function readListening(layout: Layout, pid: number | undefined): Promise<Listening | undefined> {
  const listening = await readJson(layout.address, listeningSchema);
  return listening?.pid === pid ? listening : undefined;
}

async function lastWords(layout: Layout): Promise<string> {
  const lines = (await readFile(layout.output, 'utf8')).trim().split('\n');
  const said = (lines.at(-1) ?? '').slice(0, DAEMON_LIMITS.lastWordsLength);
  return `expected the node manager to start, it ended and said: ${said || 'nothing'}`;
}

/**
 * Ends the node manager: it is asked, and killed when it does not listen to that.
 * @returns false when none ran. Throws InstallError STOP_FAILED when it outlives even SIGKILL.
 */
export async function stopDaemon(layout: Layout): Promise<boolean> {
  const daemon = await findDaemon(layout);
  if (daemon !== undefined) await end(daemon.mark, layout.daemon);
  await rm(layout.process, { force: true });
  await rm(layout.address, { force: true });
  return daemon !== undefined;
}

async function end(mark: ProcessMark, program: string): Promise<void> {
  signal(mark.pid, 'SIGTERM');
  if (await waitForEnd(mark, program, DAEMON_LIMITS.stopMs)) return;
  signal(mark.pid, 'SIGKILL');
  if (await waitForEnd(mark, program, DAEMON_LIMITS.killMs)) return;
  throw new InstallError(
    'STOP_FAILED',
    `expected process ${mark.pid} to end within ${DAEMON_LIMITS.killMs / 1000} s of SIGKILL, it did not`,
  );
}
