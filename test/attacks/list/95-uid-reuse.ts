/**
 * 95 uid-reuse: leaves processes behind for the next program that gets its user; two programs share one user
 * expected: held
 * without own user: held or open: two processes of one user
 */
import { userOf, vesselProcesses } from '../meter.ts';
import type { Drive } from '../scene.ts';

export const run: Drive = async (scene) => {
  const { managerPid } = scene.world;
  await scene.perform("log('running'); settimer(1000, () => {});");
  await scene.logged('running');
  const during = vesselProcesses(managerPid);
  const users = during.map(userOf).filter((user) => user !== undefined);
  await scene.stop();
  // The neighbour and those that wait go on; exactly the one that was stopped has to be gone when the answer comes.
  const left = vesselProcesses(managerPid).filter((pid) => during.includes(pid));
  if (left.length >= during.length) return 'open: a process is left';
  return new Set(users).size === users.length ? 'held' : 'open: two processes of one user';
};
