import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatRestrictions, type GatewayAddress, type KeyId, PeerError, parseRestrictions } from '@potluck/protocol';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Daemon {
  readonly process: ChildProcess;
  /** What it has written on its standard error, for the message of a failing test. */
  readonly words: () => string;
}

/** A clearinghouse and nodes as processes of their own, in one temporary directory that goes with them. */
export class World implements AsyncDisposable {
  readonly directory: string;
  readonly #daemons: Daemon[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<World> {
    return new World(await mkdtemp(join(tmpdir(), 'potluck-world-')));
  }

  /** Starts a command of ours and waits for its first line. */
  async run(program: string, args: readonly string[]): Promise<Daemon> {
    const child = spawn(process.execPath, [join(ROOT, program), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let words = '';
    child.stderr.on('data', (data: Buffer) => {
      words = `${words}${data.toString()}`.slice(-20_000);
    });
    const daemon: Daemon = { process: child, words: () => words };
    this.#daemons.push(daemon);
    const line = once(createInterface(child.stdout), 'line');
    const exit = once(child, 'exit').then(([code]) => {
      throw new PeerError('CLOSED', `expected ${program} to start, it ended with ${code}: ${words}`);
    });
    await Promise.race([line, exit]);
    exit.catch(() => undefined); // From here on it may end when it likes.
    return daemon;
  }

  async clearinghouse(...more: string[]): Promise<Daemon & { url: string; gateway: GatewayAddress; state: string }> {
    const state = join(this.directory, 'clearinghouse');
    const args = ['run', '--state', state, '--port', '0', '--gateway-port', '0', ...more];
    const daemon = await this.run('clearinghouse-web/bin/clearinghouse.ts', args);
    const address = JSON.parse(await readFile(join(state, 'address.json'), 'utf8'));
    return { ...daemon, url: address.url, gateway: address.gateway, state };
  }

  /** A donor's machine with as many vessels as asked for, each with ten ports. */
  async node(name: string, init: NodeInit): Promise<Daemon> {
    const state = join(this.directory, name);
    await mkdir(state, { mode: 0o700, recursive: true });
    const vessels = Array.from({ length: init.vessels }, (_, index) => ({
      owner: init.owner,
      users: [],
      restrictions: restrictionsOf(63_100 + 10 * index),
    }));
    const config = { listen: { host: '127.0.0.1', port: 0 }, gateway: init.gateway, vessels, ...init.config };
    await writeFile(join(state, 'nodemanager.json'), JSON.stringify(config), { mode: 0o600 });
    return await this.startNode(name);
  }

  /** Starts a node, made before, on the state that it left. */
  async startNode(name: string): Promise<Daemon> {
    return await this.run('nodemanager/bin/nodemanager.ts', ['run', '--state', join(this.directory, name)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.#daemons.toReversed()) await stop(daemon);
    await rm(this.directory, { recursive: true, force: true });
  }
}

interface NodeInit {
  readonly gateway: GatewayAddress;
  readonly owner: KeyId;
  readonly vessels: number;
  /** More of `nodemanager.json`. */
  readonly config?: object | undefined;
}

export async function stop({ process: child }: Daemon, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

export function restrictionsOf(firstPort: number): string {
  const ports = Array.from({ length: 10 }, (_, index) => firstPort + index);
  const lines = [
    'cpu 0.02',
    'memory 50000000',
    'diskused 10000000',
    'events 100',
    'insockets 10',
    'outsockets 10',
    'lograte 100000',
    'filesopened 5',
    'fileread 100000',
  ];
  for (const port of ports) lines.push(`messport ${port}`, `connport ${port}`);
  return formatRestrictions(parseRestrictions(lines.map((line) => `resource ${line}`).join('\n')));
}
