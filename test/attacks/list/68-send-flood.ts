/**
 * 68 send-flood: sends a million messages as fast as it can, awaited or not
 * expected: held
 * slow: yes
 * resource loopsend 100000
 * resource netsend 100000
 */

import type { Drive } from '../scene.ts';
import { Sink } from '../sink.ts';

const LIMIT_BYTES = 100_000;
const PROGRAMS = [
  `for (let at = 0; at < 1e6; at++) { sendmess(peer, port, text); if (at % 1000 === 0) await sleep(0); }`,
  `for (let at = 0; at < 1e6; at++) await sendmess(peer, port, text);`,
  `const go = () => { for (let at = 0; at < 100; at++) sendmess(peer, port, text).catch(() => {}); setTimeout(go, 0); }; go();`,
];
const SECONDS = 2;

export const run: Drive = async (scene) => {
  await using sink = await Sink.open(scene.world.peer);
  const head = `const { peer, sink: port } = JSON.parse(callargs[0]); const text = 'x'.repeat(1000); log('running');`;
  for (const program of PROGRAMS) {
    await scene.perform(`${head} ${program}`, '', { sink: sink.port });
    const { bytes, seconds } = await sink.count(SECONDS);
    await scene.stop();
    await scene.reset();
    // One second's worth is free at the start; what the clock of this process adds is a tenth more.
    if (bytes > LIMIT_BYTES * (seconds + 1) * 1.1) return `open: ${bytes} bytes in ${seconds} s`;
    if (bytes === 0) return 'open: nothing was sent at all';
  }
  return 'held';
};
