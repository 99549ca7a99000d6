import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type GatewayAddress, parseJson } from '@potluck/protocol';
import type { Logger } from 'pino';
import type { Bus } from './bus/bus.ts';
import { newsOf } from './bus/subjects.ts';
import { TaskError } from './errors.ts';

const PROGRAM = join(import.meta.dirname, 'backend', 'main.ts');
const RESTART_FIRST_MS = 100;
const RESTART_LONGEST_MS = 10_000;
const STOP_MS = 8_000;
/** Where PostgreSQL's passwords and certificates may be. */
const FOR_POSTGRES = /^(PG[A-Z]+|HOME)$/;
/** Where Node keeps what it has compiled; nothing else of this process' environment is the backend's. */
const FOR_ALL = 'NODE_COMPILE_CACHE';

export interface SupervisorInit {
  readonly state: string;
  readonly database?: string | undefined;
  readonly keysDatabase?: string | undefined;
  /** The operator says that the donors' keys of before are lost. */
  readonly newKeysDatabase?: boolean | undefined;
  /** As nodes are told of it. */
  readonly gateway: () => GatewayAddress;
  readonly logger: Logger;
  /** Tells the backend to look at the queue, and is told what the backend says. */
  readonly bus: Bus;
}

/** Keeps one backend process running, with next to nothing of this process' environment, and joins it to the bus. */
export class Supervisor {
  readonly #init: SupervisorInit;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waitMs = RESTART_FIRST_MS;
  #stopped = false;
  /** What a backend said last: why it ended, where it did at its start. */
  #lastWords = '';
  #unsubscribe: () => void = () => undefined;
  /** How often a backend was started, and how many tasks it has ended well and not. */
  readonly counts = { starts: 0, done: 0, failed: 0 };

  constructor(init: SupervisorInit) {
    this.#init = init;
  }

  get pid(): number | undefined {
    const child = this.#child;
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  /** Resolves when the backend takes tasks. @throws TaskError BACKEND_GONE: it ended instead, its words are in the log. */
  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const wake = (): void => this.#wake();
    this.#unsubscribe = this.#init.bus.subscribe('tasks.waiting', { onMessage: wake, onGap: wake });
    this.#spawn(resolve);
    this.#child?.once('close', () => reject(new TaskError('BACKEND_GONE', `expected a backend, ${this.#ending}`)));
    try {
      await promise;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  get #ending(): string {
    const said = parseJson(this.#lastWords) as { msg?: unknown } | undefined;
    return typeof said?.msg === 'string' ? `it ended at its start: ${said.msg}` : 'it ended at its start';
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.stdin?.end();
    await exited;
    clearTimeout(timer);
  }

  /** There is something in the queue. */
  #wake(): void {
    this.#child?.stdin?.write('\n');
  }

  #spawn(onReady: () => void): void {
    const { state, logger } = this.#init;
    const stdio: SpawnOptions['stdio'] = ['pipe', 'ignore', 'pipe', 'pipe'];
    const child = spawn(process.execPath, [PROGRAM, state], {
      stdio,
      env: environmentOf(this.#init, this.counts.starts === 0),
    });
    this.#child = child;
    this.counts.starts += 1;
    child.stdin?.on('error', () => undefined); // It may have died with a wake under way; 'exit' tells.
    child.on('error', (error) => logger.error({ error: error.message }, 'backend could not be started'));
    // Its log lines are of the same form as this process' own.
    linesOf(child, 2, (line) => {
      this.#lastWords = line;
      if (logger.level !== 'silent') process.stderr.write(`${line}\n`);
    });
    linesOf(child, 3, (line) => {
      if (line !== 'ready') return this.#passOn(line);
      this.#waitMs = RESTART_FIRST_MS;
      onReady();
    });
    child.once('exit', (code, signal) => {
      if (this.#stopped) return;
      logger.error({ code, signal, waitMs: this.#waitMs }, 'backend ended, starting it again');
      this.#timer = setTimeout(() => this.#spawn(() => undefined), this.#waitMs);
      this.#waitMs = Math.min(2 * this.#waitMs, RESTART_LONGEST_MS);
    });
  }

  /** What the backend has to say to everybody. */
  #passOn(line: string): void {
    const news = newsOf(parseJson(line));
    if (news === undefined) this.#init.logger.error('the backend said something that is no news');
    else this.#init.bus.publish(news.subject, news.message);
    if (news?.subject === 'task.ended') this.counts[news.message.done ? 'done' : 'failed'] += 1;
  }
}

/** Addresses of databases may have passwords in them, and arguments of a process are for all to see. */
function environmentOf(init: SupervisorInit, isFirst: boolean): Record<string, string> {
  const { database, keysDatabase, newKeysDatabase, gateway } = init;
  const usesPostgres = database !== undefined || keysDatabase !== undefined;
  const kept = Object.entries(process.env).filter(
    ([name]) => name === FOR_ALL || (usesPostgres && FOR_POSTGRES.test(name)),
  );
  return {
    ...Object.fromEntries(kept),
    POTLUCK_GATEWAY: JSON.stringify(gateway()),
    ...(database !== undefined && { POTLUCK_DATABASE: database }),
    ...(keysDatabase !== undefined && { POTLUCK_KEYS_DATABASE: keysDatabase }),
    // What the operator has said of this start, he has not said of what is lost later.
    ...(newKeysDatabase && isFirst && { POTLUCK_NEW_KEYS_DATABASE: '1' }),
  } as Record<string, string>;
}

function linesOf(child: ChildProcess, fd: 2 | 3, onLine: (line: string) => void): void {
  const stream = child.stdio[fd];
  if (stream instanceof Readable) createInterface(stream).on('line', onLine);
}
