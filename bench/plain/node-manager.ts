// A node manager as the executable runs it, with other limits. Usage: node-manager.ts STATE RUNTIME LIMITS, in JSON
import { once } from 'node:events';
import { NodeManager, type NodeManagerInit } from '@potluck/nodemanager';

const [, , state = '', runtime, limits = '{}'] = process.argv;
await using manager = new NodeManager({ state, runtime, limits: JSON.parse(limits) as NodeManagerInit['limits'] & {} });
await manager.start();
console.log('listening');
await once(process, 'SIGTERM');
