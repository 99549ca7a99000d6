/**
 * 22 cached-data: uploads the engine's own code cache, a startup snapshot's head and WebAssembly as the program
 * expected: held
 */
import { Script } from 'node:vm';
import type { Drive } from '../scene.ts';

export const run: Drive = async (scene) => {
  const cache = new Script('log("ran")').createCachedData();
  const wasm = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  const found: string[] = [];
  for (const [name, bytes] of Object.entries({ cache, wasm, text: Buffer.from(cache.toString('latin1')) })) {
    await scene.upload(bytes);
    await scene.start();
    const { state, ending } = await scene.info();
    if (state === 'Started' || ['finished', 'exitall'].includes(ending?.kind ?? '')) found.push(name);
    if ((await scene.log()).includes('ran')) found.push(`${name} ran`);
    await scene.reset();
  }
  return found.length === 0 ? 'held' : `open: ${found.join(', ')}`;
};
