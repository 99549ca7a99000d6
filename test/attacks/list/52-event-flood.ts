/**
 * 52 event-flood: a peer sends 200,000 messages while the program loops, and listens to nothing
 * expected: held
 * slow: yes
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Drive } from '../scene.ts';

const MESSAGES = 200_000;
const PROGRAM = `
  const { ip, ports } = JSON.parse(callargs[0]);
  let got = 0;
  recvmess(ip, ports[0], () => { got++; });
  log('running');
  const until = getruntime() + 3;
  while (getruntime() < until);
  await sleep(1);
  log('\\nverdict: held after ' + (got > 0 ? 'some' : 'none') + '\\n');
  exitall();`;

export const run: Drive = async (scene) => {
  await scene.perform(PROGRAM);
  await scene.logged('running');
  await using socket = createSocket('udp4');
  socket.bind(0, scene.world.peer);
  await once(socket, 'listening');
  const bytes = Buffer.alloc(1000);
  for (let sent = 0; sent < MESSAGES; sent++) {
    socket.send(bytes, scene.place.ports[0], scene.world.ip);
    if (sent % 500 === 0) await new Promise(setImmediate);
  }
  const told = await scene.outcome();
  return told === 'held after some' ? 'held' : told;
};
