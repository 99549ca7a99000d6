/**
 * 66 multicast: sends to groups and broadcast addresses, from addresses that are not its own, and asks for raw sockets
 * expected: held
 */
import { facts, holds, ip, port, refused, verdict } from '../inside/tell.js';

const GROUPS = [
  '224.0.0.1',
  '224.0.0.251',
  '239.255.255.250',
  '255.255.255.255',
  '240.0.0.1',
  'ff02::1',
  'ff02::fb',
  'ff05::2',
  '127.255.255.255',
];
for (const group of GROUPS) {
  for (const at of [port, 1900, 5353]) await refused(`send to ${group}`, () => sendmess(group, at, 'x'));
  await refused(`listen on ${group}`, () => recvmess(group, port, () => {}));
}
for (const source of ['8.8.8.8', facts.peer, '0.0.0.0', '::', '127.0.0.9', '255.255.255.255', '']) {
  await refused(`send from ${source}`, () => sendmess(ip, port, 'x', source, port));
  await refused(`connect from ${source}`, () => openconn(ip, port, source, port));
}
holds(
  'no raw sockets',
  !Object.getOwnPropertyNames(globalThis).some((name) => /raw|socket/i.test(name) && !/Socket\w*Error/.test(name)),
);
verdict();
