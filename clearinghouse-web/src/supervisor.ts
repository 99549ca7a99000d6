import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Logger } from 'pino';
import { TaskError } from './errors.ts';

const PROGRAM = join(import.meta.dirname, 'backend', 'main.ts');
const RESTART_FIRST_MS = 100;
const RESTART_LONGEST_MS = 10_000;
const STOP_MS = 8_000;
const SPAWN_OPTIONS: SpawnOptions = { stdio: ['pipe', 'ignore', 'pipe', 'pipe'], env: {} };

export interface SupervisorInit {
  readonly state: string;
  readonly logger: Logger;
  /** Called whenever the backend says that a task has ended. */
  readonly onEnded: () => void;
}

/** Keeps one backend process running, with nothing of this process' environment. */
export class Supervisor {
  readonly #init: SupervisorInit;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waitMs = RESTART_FIRST_MS;
  #stopped = false;

  constructor(init: SupervisorInit) {
    this.#init = init;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the backend takes tasks. @throws TaskError BACKEND_GONE: it ended instead, its words are in the log. */
  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#spawn(resolve);
    this.#child?.once('exit', () => reject(new TaskError('BACKEND_GONE', 'expected a backend, it ended at its start')));
    try {
      await promise;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** There is something in the queue. */
  wake(): void {
    this.#child?.stdin?.write('\n');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.stdin?.end();
    await exited;
    clearTimeout(timer);
  }

  #spawn(onReady: () => void): void {
    const { state, logger, onEnded } = this.#init;
    const child = spawn(process.execPath, [PROGRAM, state], SPAWN_OPTIONS);
    this.#child = child;
    child.stdin?.on('error', () => undefined); // It may have died with a wake under way; 'exit' tells.
    child.on('error', (error) => logger.error({ error: error.message }, 'backend could not be started'));
    // Its log lines are of the same form as this process' own.
    if (logger.level !== 'silent') linesOf(child, 2, (line) => process.stderr.write(`${line}\n`));
    else child.stderr?.resume();
    linesOf(child, 3, (line) => {
      if (line === 'ready') {
        this.#waitMs = RESTART_FIRST_MS;
        onReady();
      }
      onEnded();
    });
    child.once('exit', (code, signal) => {
      if (this.#stopped) return;
      logger.error({ code, signal, waitMs: this.#waitMs }, 'backend ended, starting it again');
      this.#timer = setTimeout(() => this.#spawn(() => undefined), this.#waitMs);
      this.#waitMs = Math.min(2 * this.#waitMs, RESTART_LONGEST_MS);
    });
  }
}

function linesOf(child: ChildProcess, fd: 2 | 3, onLine: (line: string) => void): void {
  const stream = child.stdio[fd];
  if (stream instanceof Readable) createInterface(stream).on('line', onLine);
}
