import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeManager, statePaths } from '@potluck/nodemanager';
import { type FileName, generateIdentity, NodeClient, type VesselName } from '@potluck/protocol';
import { restrictionsFor } from './vessel.ts';

const VESSEL = 'v1' as VesselName;
const PROGRAM = 'program.js' as FileName;
const MEMORY_BYTES = 64 * 2 ** 20;

/** A real node manager with one vessel, and its user at the other end of a signed connection. */
export interface OneVesselNode extends AsyncDisposable {
  /** Starts the program. @returns milliseconds until the node's signed word that its first statement runs. */
  start(): Promise<number>;
  stop(): Promise<void>;
}

/** @param source of the program that the vessel gets. */
export async function oneVesselNode(source: string): Promise<OneVesselNode> {
  await using stack = new AsyncDisposableStack();
  const state = await mkdtemp(join(tmpdir(), 'potluck-bench-node-'));
  stack.defer(() => rm(state, { recursive: true, force: true }));
  const [owner, user] = [generateIdentity(), generateIdentity()];
  const restrictions = restrictionsFor({ port: 54321, memoryBytes: MEMORY_BYTES });
  const vessels = [{ owner: owner.id, users: [user.id], restrictions }];
  const config = { listen: { host: '127.0.0.1', port: 0 }, vessels };
  await writeFile(statePaths(state).config, JSON.stringify(config), { mode: 0o600 });
  const manager = stack.use(new NodeManager({ state }));
  await manager.start();
  const client = await NodeClient.connect({ address: manager.address, node: manager.id, identity: user });
  stack.defer(() => client.close());
  const attachment = Buffer.from(source);
  await client.call('AddFileToVessel', { vessel: VESSEL, name: PROGRAM }, { attachment });
  const owned = stack.move();
  return {
    start: async () => {
      const begin = performance.now();
      await client.call('StartVessel', { vessel: VESSEL, program: PROGRAM, args: [] });
      return performance.now() - begin;
    },
    stop: async () => void (await client.call('StopVessel', { vessel: VESSEL })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
