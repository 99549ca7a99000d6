/**
 * 89 co-tenant: reads another program's data through caches and speculation; no such data is in its process, by construction
 * expected: by construction: each program has a process of its own
 */
import { vesselProcesses } from '../meter.ts';
import type { Drive } from '../scene.ts';

export const run: Drive = async (scene) => {
  await scene.perform("log('running'); settimer(1000, () => {});");
  await scene.logged('running');
  // The neighbour's and this one's; those that wait for a program come on top.
  const processes = vesselProcesses(scene.world.managerPid);
  await scene.stop();
  return processes.length >= 2 ? 'by construction: each program has a process of its own' : `open: ${processes.length}`;
};
