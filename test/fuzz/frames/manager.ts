import { readdirSync } from 'node:fs';
import { NodeManager } from '@potluck/nodemanager';

/** A process of its own around one node manager, so that its memory and its descriptors are its own too. */
export interface Figures {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** Undefined where the system does not tell. */
  readonly descriptors: number | undefined;
}

/** Nobody is too fast here: a rate would hide what a frame does. */
const OPEN = { addressPerSecond: 1e9, addressBurst: 1e9, keyPerSecond: 1e9, keyBurst: 1e9 };
const CONNECTIONS = { connectionsPerSecond: 1e9, connectionsBurst: 1e9 };

const [state = ''] = process.argv.slice(2);
const manager = new NodeManager({ state, limits: { ...OPEN, ...CONNECTIONS, poolSize: 0 } });
await manager.start();
process.on('message', (word) => {
  if (word === 'stop') void manager.stop().then(() => process.disconnect?.());
  else void measure();
});
process.send?.({ node: manager.id, address: manager.address });

async function measure(): Promise<void> {
  for (let times = 0; times < 4; times += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20)); // Finalizers run between turns of the loop.
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const figures: Figures = { heapBytes: heapUsed, externalBytes: external, rssBytes: rss, descriptors: descriptors() };
  process.send?.(figures);
}

function descriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
