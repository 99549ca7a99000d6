/**
 * 67 socket-flood: opens 20,000 connections, listeners and senders, and keeps them
 * expected: held or killed: memory
 * slow: yes
 */
import { holds, ip, otherPort, port, verdict } from '../inside/tell.js';

const odd = new Set();
const kept = [];
let refusals = 0;
const note = (error) => {
  refusals++;
  if (!(error instanceof RepyError)) odd.add(`${error}`);
};
await waitforconn(ip, otherPort, (from, at, sock) => kept.push(sock));
for (let at = 0; at < 20_000; at++) {
  try {
    const connecting = openconn(ip, otherPort);
    connecting.then((sock) => kept.push(sock), note);
    if (at % 100 === 0) kept.push(recvmess(ip, port, () => {}));
    if (at % 500 === 0) await sleep(0.001);
  } catch (error) {
    note(error);
  }
}
await sleep(0.2);
holds(`errors ${[...odd].slice(0, 3)}`, odd.size === 0);
holds(`${kept.length} kept`, kept.length <= 41 && refusals > 10_000);
verdict();
