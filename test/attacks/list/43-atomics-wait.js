/**
 * 43 atomics-wait: blocks its thread where nothing can wake it
 * expected: held
 */
import { holds, refused, verdict } from '../inside/tell.js';

await refused('Atomics.wait', () => Atomics.wait(new Int32Array(4), 0, 0));
await refused('SharedArrayBuffer', () => new SharedArrayBuffer(4));
await refused('shared memory of WebAssembly', () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
holds('no Atomics anywhere', typeof globalThis.Atomics === 'undefined');
verdict();
