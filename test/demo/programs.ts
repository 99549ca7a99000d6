import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DemoError } from './errors.ts';

const root = join(import.meta.dirname, '..', '..');

/** The path of a room's executable; they are run as they stand, by the pinned Node. */
export function binOf(room: string, name: string): string {
  return join(root, room, 'bin', `${name}.ts`);
}

export interface RunOptions {
  readonly cwd?: string;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program to its end and returns what it wrote to stdout.
 * @throws DemoError PROGRAM_FAILED with its last words
 */
export async function runProgram(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const words = Buffer.concat([...stdout, ...stderr])
    .toString()
    .trim();
  if (code === 0) return Buffer.concat(stdout).toString();
  throw new DemoError('PROGRAM_FAILED', `${command} ${args.join(' ')} ended with code ${code}: ${words || 'no words'}`);
}

/** A program that stays up until it is stopped; in a group of its own, so that Ctrl-C reaches the demonstration only. */
export class Service {
  readonly #child: ChildProcess;
  readonly #stderr: Buffer[] = [];
  readonly #ended: Promise<void>;

  constructor(command: string, args: string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr.push(chunk);
      if (this.#stderr.length > 50) this.#stderr.shift();
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('close', () => resolve());
    });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  get lastWords(): string {
    return Buffer.concat(this.#stderr).toString().trim();
  }

  /** Resolves when the program is gone; SIGKILL follows when it does not go by itself. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#ended;
    clearTimeout(killer);
  }
}

/**
 * Asks again until the answer is there.
 * @param ask undefined means: not yet
 * @throws DemoError TOO_LATE after `limitMs`
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  options: { limitMs: number; signal: AbortSignal },
): Promise<T> {
  const deadline = performance.now() + options.limitMs;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(100, undefined, { signal: options.signal });
  }
  throw new DemoError('TOO_LATE', `expected ${what} within ${options.limitMs / 1000} s, it did not happen`);
}

/** @returns the parsed file, or undefined while it is not there. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}
