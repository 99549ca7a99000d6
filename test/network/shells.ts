import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeManager } from '@potluck/nodemanager';
import type { CommandResult, Shell } from '@potluck/seash';

/** Members that bulk commands have. */
export interface Bulk extends CommandResult {
  readonly vessels: Record<string, unknown>[];
  readonly failed: { code: string; message: string; affected: string[] }[];
}

/** A node manager on a free port, in a state directory of its own. */
export async function startNode(state: string, vessels: object[]): Promise<NodeManager> {
  await mkdir(state, { recursive: true, mode: 0o700 });
  const config = { listen: { host: '127.0.0.1', port: 0 }, vessels };
  await writeFile(join(state, 'nodemanager.json'), JSON.stringify(config));
  const node = new NodeManager({ state });
  await node.start();
  return node;
}

/** Commands that must go well, and a command said again until no program of its vessels runs. */
export function wordsTo(shell: () => Shell) {
  const well = async (line: string): Promise<Bulk> => {
    const result = await shell().execute(line);
    assert.equal(result.ok, true, JSON.stringify(result));
    return result as Bulk;
  };
  const ended = async (line: string): Promise<Bulk> => {
    for (;;) {
      const result = await well(line);
      if (result.vessels.every(({ state }) => state !== 'Started')) return result;
    }
  };
  return { well, ended };
}
