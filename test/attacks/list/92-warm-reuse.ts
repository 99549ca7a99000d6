/**
 * 92 warm-reuse: leaves globals, timers, listeners and texts behind, is stopped, and looks for them as the next program
 * expected: held
 */
import type { Drive } from '../scene.ts';

const LEAVES = `
  const { ip, ports } = JSON.parse(callargs[0]);
  globalThis.left = 1; Array.prototype.left = 1; mycontext.left = 1; Object.prototype.left = 1;
  recvmess(ip, ports[0], () => log('an old listener'));
  await waitforconn(ip, ports[1], () => log('an old one'));
  setInterval(() => log('an old timer'), 5);
  log('running');`;
const LOOKS = `
  const { ip, ports } = JSON.parse(callargs[0]);
  const found = [];
  if ('left' in globalThis || 'left' in [] || 'left' in mycontext) found.push('globals');
  const usage = getresources();
  recvmess(ip, ports[0], (from, at, text) => { if (text !== 'new') found.push(text); }); // Its port is free again.
  await waitforconn(ip, ports[1], () => {});
  await sendmess(ip, ports[0], 'new');
  await sleep(0.1);
  log('\\nverdict: ' + (found.length === 0 ? 'held' : 'open: ' + found.join(', ')) + '\\n');
  exitall();`;

export const run: Drive = async (scene) => {
  for (let round = 0; round < 3; round++) {
    await scene.perform(LEAVES);
    await scene.logged('running');
    await scene.stop();
    const length = (await scene.log()).length;
    await scene.perform(LOOKS);
    const told = await scene.outcome();
    if (told !== 'held') return told;
    if ((await scene.log()).slice(length).includes('old')) return 'open: an old program logs';
    await scene.reset();
  }
  return 'held';
};
