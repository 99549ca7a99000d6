/**
 * 64 dns-rebind: uses names that lead to its own machine: at once, at the second question, by mapped addresses, by aliases
 * expected: held
 */

import type { Drive } from '../scene.ts';
import { Traps } from '../traps.ts';

const PROGRAM = `
  const { traps, peer, ip: own } = JSON.parse(callargs[0]);
  const NAMES = ['rebind.example.org', 'inward.example.org', 'mapped.example.org', 'chain.example.org', 'loop.example.org',
    'localhost', 'x.localhost', 'mixed.example.org', 'LOCALHOST.', 'inward.example.org\\\\0.org', '-x.org', 'x'.repeat(300) + '.org'];
  const reached = [];
  for (const name of NAMES) {
    const found = await gethostbyname_ex(name).then(([, , ips]) => ips, () => []);
    for (const ip of found) if (ip !== peer && ip !== own && !/^(127\\.0\\.0\\.1|::1|64:ff9b::7f00:1)$/.test(ip)) reached.push(name + ' is ' + ip);
    for (const port of traps) for (let round = 0; round < 3; round++) {
      try { await openconn(name, port, { timeout: 1 }); reached.push('connected ' + name); } catch {}
      try { await sendmess(name, port, 'x'); if (!/^(rebind|mixed)/.test(name)) reached.push('sent ' + name); } catch {}
    }
  }
  log('\\nverdict: ' + (reached.length === 0 ? 'held' : 'open: ' + reached.join(', ')) + '\\n');
  exitall();`;

export const run: Drive = async (scene) => {
  await using traps = await Traps.set(['127.0.0.1', '::1']);
  await scene.perform(PROGRAM, '', { traps: traps.ports });
  const told = await scene.outcome();
  return traps.caught === 0 ? told : `open: ${traps.caught} came through`;
};
