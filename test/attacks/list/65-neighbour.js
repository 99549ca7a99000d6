/**
 * 65 neighbour: reaches for another vessel's port, the node manager, sockets by path, and the loopback of other machines
 * expected: held
 */
import { facts, ip, port, refused, verdict } from '../inside/tell.js';

const places = [ip, '127.0.0.1', ip.replace(/\d+$/, '7'), '127.0.0.2', '::1', '0.0.0.0'];
for (const place of places) {
  for (const at of [facts.neighbour, facts.neighbour + 1, facts.manager, 22, 111]) {
    await refused(`send to ${place} ${at}`, () => sendmess(place, at, 'x'));
    await refused(`connect to ${place} ${at}`, () => openconn(place, at, { timeout: 1 }));
    await refused(`listen on ${place} ${at}`, () => recvmess(place, at, () => {}));
    await refused(`wait on ${place} ${at}`, () => waitforconn(place, at, () => {}));
  }
}
for (const path of [
  `${facts.directory}/state/socket`,
  '/run/docker.sock',
  '\0abstract',
  './x',
  'unix:/run/x',
  '\\\\.\\pipe\\x',
]) {
  await refused(`connect to ${path}`, () => openconn(path, port));
  await refused(`wait on ${path}`, () => waitforconn(path, port, () => {}));
}
verdict();
