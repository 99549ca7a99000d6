/**
 * 47 gc-thrash: fills its memory to the brim and makes garbage, so that the engine's own threads work too
 * expected: held
 * slow: yes
 * walls: governor
 * without governor: open: more than a quarter of a core
 * resource cpu 0.1
 * resource memory 50000000
 */
import { highestShare } from '../meter.ts';
import type { Drive } from '../scene.ts';

const PROGRAM = `
  const kept = [];
  for (let at = 0; at < 300; at++) kept.push(new Array(5000).fill(at));
  log('running');
  for (let at = 0; ; at++) kept[at % kept.length] = new Array(5000).fill(at);`;

export const run: Drive = async (scene) => {
  await scene.perform(PROGRAM);
  if (!(await scene.logged('running'))) return await scene.outcome();
  // All threads of the process, for a time in which a burst at the start no longer counts.
  const share = await highestShare(scene.world.managerPid);
  await scene.stop();
  return share <= 0.25 ? 'held' : 'open: more than a quarter of a core';
};
