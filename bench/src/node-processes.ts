import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type NodeAddress, type NodeLimits, nodeAddressSchema, statePaths } from '@potluck/nodemanager';
import { generateIdentity, type Identity, type KeyId } from '@potluck/protocol';
import { PREBUILT_NAMES, type RuntimeFiles } from '@potluck/vessel-runtime';
import { BenchError } from './errors.ts';
import { restrictionsFor } from './vessel.ts';

const MAIN = fileURLToPath(new URL('../../nodemanager/bin/nodemanager.ts', import.meta.url));
/** The same as a process, with other limits, which no option of the executable can give. */
const OTHER = fileURLToPath(new URL('../plain/node-manager.ts', import.meta.url));

export interface NodesInit {
  readonly nodes: number;
  /** Of each node. */
  readonly vessels: number;
  readonly memoryBytes: number;
  /** Where those of every node would be what is measured. */
  readonly limits?: Partial<NodeLimits>;
  /** To whom the vessels belong, free of users, instead of to the `owner` and the `user` of the answer. */
  readonly donor?: KeyId;
  /** More of `nodemanager.json`. */
  readonly config?: object;
}

/** Node managers as an operator runs them, each a process of its own with a state directory of its own. */
export interface NodeProcesses extends AsyncDisposable {
  /** Temporary; goes with them. */
  readonly directory: string;
  /** Of each vessel. */
  readonly owner: Identity;
  /** Of each vessel. */
  readonly user: Identity;
  readonly addresses: readonly NodeAddress[];
}

/** Resolves when all of them listen. */
export async function nodeProcesses(files: RuntimeFiles, init: NodesInit): Promise<NodeProcesses> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'potluck-bench-nodes-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const runtime = join(directory, 'runtime');
  await mkdir(runtime);
  for (const name of ['entry', 'native'] as const) await copyFile(files[name], join(runtime, PREBUILT_NAMES[name]));
  const [owner, user] = [generateIdentity(), generateIdentity()];
  const restrictions = restrictionsFor({ port: 54321, memoryBytes: init.memoryBytes });
  const { donor } = init;
  const hands = donor === undefined ? { owner: owner.id, users: [user.id] } : { owner: donor, users: [] };
  const vessels = Array.from({ length: init.vessels }, () => ({ ...hands, restrictions }));
  const config = JSON.stringify({ listen: { host: '127.0.0.1', port: 0 }, vessels, ...init.config });
  const starting = Array.from({ length: init.nodes }, async (_, index) => {
    const state = join(directory, `node-${index}`);
    await mkdir(state, { mode: 0o700 });
    await writeFile(statePaths(state).config, config, { mode: 0o600 });
    return await start(stack, state, commandOf(init, state, runtime));
  });
  const addresses = (await Promise.allSettled(starting)).map((started) => {
    if (started.status === 'rejected') throw started.reason;
    return started.value;
  });
  const owned = stack.move();
  return { directory, owner, user, addresses, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function commandOf({ limits }: NodesInit, state: string, runtime: string): string[] {
  if (limits !== undefined) return [OTHER, state, runtime, JSON.stringify(limits)];
  return [MAIN, 'run', '--state', state, '--runtime', runtime];
}

async function start(stack: AsyncDisposableStack, state: string, command: string[]): Promise<NodeAddress> {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  stack.defer(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  const failed = gone.then(() => {
    throw new BenchError('CHILD_FAILED', `expected a node manager on ${state} to listen, it ended`);
  });
  failed.catch(() => {});
  await Promise.race([once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data'), failed]);
  return nodeAddressSchema.parse(JSON.parse(await readFile(statePaths(state).address, 'utf8')));
}
