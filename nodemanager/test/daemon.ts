import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type NodeAddress, nodeAddressSchema, statePaths } from '../src/index.ts';

const CLI = fileURLToPath(new URL('../bin/nodemanager.ts', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The command as a process of its own, from its first line to its end. */
export class Daemon implements AsyncDisposable {
  readonly firstLine: string;
  readonly address: NodeAddress;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Exit>;

  private constructor(child: ChildProcess, init: { firstLine: string; address: NodeAddress; ended: Promise<Exit> }) {
    this.#child = child;
    this.firstLine = init.firstLine;
    this.address = init.address;
    this.#ended = init.ended;
  }

  /** @param options.wrap a command line that becomes the command by `exec`, such as one for a namespace of its own. */
  static async start(state: string, options: { wrap?: string[]; more?: string[] } = {}): Promise<Daemon> {
    const { wrap = [], more = [] } = options;
    const [command = '', ...args] = [...wrap, process.execPath, CLI, 'run', '--state', state, ...more];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }));
    const lines = createInterface({ input: child.stdout });
    const firstLine = await Promise.race([once(lines, 'line').then(([line]) => String(line)), ended.then(() => '')]);
    assert.notEqual(firstLine, '', 'the node manager ended before it listened');
    const text = await readFile(statePaths(stateSeenFrom(child, state, wrap)).address, 'utf8');
    return new Daemon(child, { firstLine, address: nodeAddressSchema.parse(JSON.parse(text)), ended });
  }

  get pid(): number {
    return Number(this.#child.pid);
  }

  async end(signal: NodeJS.Signals): Promise<Exit> {
    this.#child.kill(signal);
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.end('SIGTERM');
  }
}

/** What a process in a mount namespace of its own sees is under its root in /proc. */
function stateSeenFrom(child: ChildProcess, state: string, wrap: readonly string[]): string {
  return wrap.length === 0 ? state : `/proc/${child.pid}/root${state}`;
}

/** Runs the command to its end. */
export async function runCli(args: readonly string[]): Promise<Exit & { stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
  const [code, signal] = await once(child, 'close');
  return { code, signal, ...text };
}
