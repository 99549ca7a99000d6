/**
 * 46 cpu-cheat: sleeps to gather credit and then bursts; works for 9 ms between the looks of the governor
 * expected: held
 * slow: yes
 * walls: governor
 * without governor: open: more than its share
 * resource cpu 0.1
 */
import { highestShare } from '../meter.ts';
import type { Drive } from '../scene.ts';

const CHEATS = [
  `const burst = () => { const until = getruntime() + 0.5; while (getruntime() < until); settimer(0.5, burst); };
   log('running'); settimer(1, burst);`,
  `const burst = () => { const until = getruntime() + 0.009; while (getruntime() < until); settimer(0.009, burst); };
   log('running'); burst();`,
];

export const run: Drive = async (scene) => {
  const found: string[] = [];
  for (const cheat of CHEATS) {
    await scene.perform(cheat);
    if (!(await scene.logged('running'))) return await scene.outcome();
    if ((await highestShare(scene.world.managerPid)) > 0.15) found.push('more than its share');
    await scene.stop();
    await scene.reset();
  }
  return found.length === 0 ? 'held' : `open: ${found[0]}`;
};
