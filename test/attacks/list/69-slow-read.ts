/**
 * 69 slow-read: writes for ever to a peer that never reads, and reads from one that sends a byte now and then
 * expected: held
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Drive } from '../scene.ts';

const PROGRAM = `
  const { peer, trap } = JSON.parse(callargs[0]);
  const sock = await openconn(peer, trap);
  const piece = 'x'.repeat(1024 * 1024);
  let refusals = 0, odd = '';
  for (let at = 0; refusals < 200 && at < 20_000; at++) {
    sock.send(piece).catch((error) => { refusals++; if (!(error instanceof RepyError)) odd = String(error); });
    if (at % 10 === 0) await sleep(0.001);
  }
  log('\\nverdict: ' + (refusals >= 200 && odd === '' ? 'held' : 'open: ' + refusals + odd) + '\\n');
  exitall();`;

export const run: Drive = async (scene) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.pause();
    socket.on('error', () => {});
  });
  server.listen(0, scene.world.peer);
  await once(server, 'listening');
  try {
    const { port } = server.address() as { port: number };
    await scene.perform(PROGRAM, '', { trap: port });
    return await scene.outcome();
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
};
