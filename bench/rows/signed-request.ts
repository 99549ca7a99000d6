import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { pairsOf, plainServer } from '../src/child.ts';
import { nodeProcesses } from '../src/node-processes.ts';
import { figuresOf, type Result, type Row } from '../src/row.ts';
import { freePort } from '../src/vessel.ts';

const MEMORY_BYTES = 64 * 2 ** 20;
/** Fewer than the 16 that a node takes from one connection: it counts one until its reply has left. */
const UNDER_WAY = 12;

/** A question of anyone's, and one of a vessel's user, whose nonce is on the disk before the reply. */
const METHODS = ['GetVessels', 'ListFilesInVessel'] as const;
const SCHEMES = ['wss', 'ws'] as const;
/** What is measured is the way of a request, not how many a node takes from one key. */
const UNBRAKED = { keyPerSecond: 1e6, keyBurst: 1e6, addressPerSecond: 1e6, addressBurst: 1e6 };
const GOAL = { least: 0.2 };

export interface RequestsInit {
  /** Of each figure, and how long each side of one is measured. */
  readonly pairs: number;
  readonly roundMs: number;
}

export async function measureRequests(files: RuntimeFiles, { pairs: most, roundMs }: RequestsInit): Promise<Result[]> {
  await using all = await nodeProcesses(files, { nodes: 1, vessels: 1, memoryBytes: MEMORY_BYTES, limits: UNBRAKED });
  const [address] = all.addresses;
  const node = JSON.stringify({ address, node: address?.node, jwk: all.user.privateJwk });
  const results: Result[] = [];
  for (const scheme of SCHEMES) {
    const port = await freePort();
    await using _echo = await plainServer('ws-echo.ts', [scheme, port]);
    for (const method of METHODS) {
      for (const depth of [1, UNDER_WAY]) {
        const url = `${scheme}://127.0.0.1:${port}`;
        const pairs = await pairsOf('requests.ts', [url, method, depth, most, roundMs], { NODE: node });
        results.push({
          row: `signed ${method}, ${depth === 1 ? 'one at a time' : `${depth} under way`}`,
          ...figuresOf(pairs),
          unit: 'requests/s',
          better: 'more',
          ...(scheme === 'wss' && { goal: GOAL }),
          counted: `one open connection over TLS / as many bytes each way, bare ${scheme}, the same client; median of ${most}`,
        });
      }
    }
  }
  return results;
}

export const signedRequest: Row = {
  name: 'signed-request',
  run: async (files) => await measureRequests(files, { pairs: 7, roundMs: 300 }),
};
