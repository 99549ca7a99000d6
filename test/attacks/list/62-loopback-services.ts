/**
 * 62 loopback-services: reaches services of its own machine by every way to write an address of it
 * expected: held
 */
import { networkInterfaces } from 'node:os';
import type { Drive } from '../scene.ts';
import { Traps } from '../traps.ts';

const PROGRAM = `
  const { addresses, ports } = JSON.parse(callargs[0]).traps;
  const reached = [];
  for (const address of addresses) for (const port of ports) {
    for (const [name, call] of [['sent', () => sendmess(address, port, 'x')], ['connected', () => openconn(address, port, { timeout: 1 })]]) {
      try { await call(); reached.push(name + ' ' + address + ' ' + port); } catch {}
    }
  }
  log('\\nverdict: ' + (reached.length === 0 ? 'held' : 'open: ' + reached.join(', ')) + '\\n');
  exitall();`;

const WAYS = [
  '127.0.0.1',
  '127.1.2.3',
  '127.255.255.254',
  '0.0.0.0',
  '0',
  '::1',
  '::',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::',
  '2130706433',
  '0x7f.1',
  '0x7f000001',
  '127.1',
  '017700000001',
  '0177.0.0.1',
  'localhost',
  'localhost.',
  '[::1]',
  '::1%lo',
  'fe80::1%lo',
  '127.0.0.1 ',
  ' 127.0.0.1',
  '127.0.0.1\\0.example.com',
  '127.0.0.1:80',
  '⑫7.0.0.1',
];

export const run: Drive = async (scene) => {
  const { world } = scene;
  await using traps = await Traps.set(['127.0.0.1', '127.1.2.3', world.ip, '::1']);
  const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  const addresses = [...new Set([...WAYS, ...own, world.ip])];
  const ports = [...traps.ports, world.address.port];
  await scene.perform(PROGRAM, '', { traps: { addresses, ports } });
  const told = await scene.outcome();
  return traps.caught === 0 ? told : `open: ${traps.caught} came through`;
};
