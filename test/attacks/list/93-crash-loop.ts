/**
 * 93 crash-loop: ends at once by its own fault, and is started again and again; nothing here restarts it by itself
 * expected: held
 */
import type { Drive } from '../scene.ts';

const LIVES = 6;

export const run: Drive = async (scene) => {
  await scene.upload('throw new Error("at once");');
  for (let life = 0; life < LIVES; life++) {
    await scene.start();
    const ending = await scene.ended();
    if (ending?.kind !== 'error') return `open: ${ending?.kind}`;
  }
  return (await scene.info()).state === 'Terminated' ? 'held' : 'open: it runs';
};
