import { NodeManager } from '@potluck/nodemanager';
import type { OuterWall } from '@potluck/vessel-runtime';

/** A node manager as a process of its own, without some of the walls: `node manager.ts STATE RUNTIME WALLS-AS-JSON`. */
const [state = '', runtime = '', without = '[]'] = process.argv.slice(2);
const manager = new NodeManager({ state, runtime, without: JSON.parse(without) as OuterWall[] });
await manager.start();
process.stdout.write('listens\n');
// Its standard input is held open by whoever runs the attacks, and ends with it.
process.stdin.resume().once('close', () => void manager.stop());
