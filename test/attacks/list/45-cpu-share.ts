/**
 * 45 cpu-share: burns all the time that it gets, with a tenth of a core as its share
 * expected: held
 * slow: yes
 * walls: governor
 * without governor: open: more than its share
 * resource cpu 0.1
 */
import { highestShare } from '../meter.ts';
import type { Drive } from '../scene.ts';

export const run: Drive = async (scene) => {
  await scene.perform("log('running'); for (;;);");
  if (!(await scene.logged('running'))) return await scene.outcome();
  const share = await highestShare(scene.world.managerPid);
  await scene.stop();
  // Nothing below: how much it gets depends on who else is there.
  return share <= 0.13 ? 'held' : 'open: more than its share';
};
