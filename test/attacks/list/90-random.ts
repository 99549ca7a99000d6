/**
 * 90 random: asks twelve fresh processes of the warm pool for random numbers, to find two that are the same
 * expected: held
 */
import type { Drive } from '../scene.ts';

const PROCESSES = 12;
const VALUES = 5;
const PROGRAM = `
  const bytes = (values) => Array.from(values).join();
  const values = [Math.random(), Math.random(), randomfloat(), bytes(crypto.getRandomValues(new Uint8Array(16))), bytes(await randombytes())];
  log(values.map((value) => '<' + value + '>').join(''));
  exitall();`;

export const run: Drive = async (scene) => {
  await scene.upload(PROGRAM);
  for (let life = 0; life < PROCESSES; life++) {
    await scene.start();
    await scene.ended();
  }
  const values = (await scene.log()).match(/<[^<>]+>/g) ?? [];
  const distinct = new Set(values).size;
  return distinct === PROCESSES * VALUES ? 'held' : `open: ${distinct} of ${values.length} values are different`;
};
