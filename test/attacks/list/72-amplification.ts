/**
 * 72 amplification: answers each small packet with a hundred great ones, whoever is said to have sent it
 * expected: held
 * slow: yes
 * resource loopsend 100000
 * resource netsend 100000
 */

import type { Drive } from '../scene.ts';
import { Sink } from '../sink.ts';

const LIMIT_BYTES = 100_000;
const SECONDS = 2;
const PROGRAM = `
  const { ip, ports } = JSON.parse(callargs[0]);
  recvmess(ip, ports[0], (from, at) => { for (let n = 0; n < 100; n++) sendmess(from, at, 'x'.repeat(1000)); });
  log('running');`;

export const run: Drive = async (scene) => {
  await using victim = await Sink.open(scene.world.peer);
  await scene.perform(PROGRAM);
  await scene.logged('running');
  const timer = setInterval(() => victim.send('x', scene.world.ip, scene.place.ports[0]), 2);
  try {
    const { bytes, seconds } = await victim.count(SECONDS);
    await scene.stop();
    return bytes <= LIMIT_BYTES * (seconds + 1) * 1.1 ? 'held' : `open: ${bytes} bytes in ${seconds} s`;
  } finally {
    clearInterval(timer);
  }
};
