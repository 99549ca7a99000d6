/**
 * 71 port-reuse: takes the port of a neighbour that is on its own list too, and takes its own port twice
 * expected: held
 * resource messport 20000
 * resource connport 20000
 */
import { facts, ip, otherPort, port, refused, verdict } from '../inside/tell.js';

for (let round = 0; round < 20; round++) {
  await refused('the port of the neighbour', () => recvmess(ip, facts.neighbour, () => {}));
  await refused('sending from it', () => sendmess(ip, port, 'x', ip, facts.neighbour));
}
recvmess(ip, port, () => {});
await refused('a second listener', () => recvmess(ip, port, () => {}), 'ALREADY_LISTENING');
await waitforconn(ip, otherPort, () => {});
await refused('a second wait', () => waitforconn(ip, otherPort, () => {}), 'ALREADY_LISTENING');
await refused('a connection from a port that listens', () => openconn(facts.peer, 9, ip, otherPort));
verdict();
