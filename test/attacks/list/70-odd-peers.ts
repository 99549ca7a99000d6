/**
 * 70 odd-peers: peers that reset, close half, send after their end, and datagrams of no, of the most and of more bytes
 * expected: held
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Drive } from '../scene.ts';

const PROGRAM = `
  const { peer, trap, ip, ports } = JSON.parse(callargs[0]);
  const wrong = [];
  const caught = async (name, call, right) => {
    try { const got = await call(); if (!right(got, undefined)) wrong.push(name + ' gave ' + String(got).slice(0, 20)); }
    catch (error) { if (!right(undefined, error)) wrong.push(name + ' threw ' + error); }
  };
  const isRemote = (got, error) => error instanceof SocketClosedRemoteError;
  const reset = await openconn(peer, trap);
  await reset.send('reset');
  await caught('recv after a reset', () => reset.recv(10), (got, error) => error instanceof RepyError);
  await caught('send after a reset', () => reset.send('x'), (got, error) => error instanceof RepyError);
  const half = await openconn(peer, trap);
  await half.send('half');
  await caught('recv of the last', () => half.recv(10), (got) => got === 'last');
  await caught('recv after the end', () => half.recv(10), isRemote);
  half.close();
  const silent = await openconn(peer, trap);
  await silent.send('silent');
  silent.close();
  await caught('recv of a closed one', () => silent.recv(1), (got, error) => error instanceof SocketClosedLocalError);
  const sizes = [];
  recvmess(ip, ports[0], (from, at, message) => sizes.push(message.length));
  for (const size of [0, 1, 65507]) await caught('send of ' + size, () => sendmess(ip, ports[0], 'x'.repeat(size)), (got) => got === size);
  await caught('send of 65508', () => sendmess(ip, ports[0], 'x'.repeat(65508)), (got, error) => error instanceof RepyArgumentError);
  for (let at = 0; sizes.length < 3 && at < 500; at++) await sleep(0.01);
  if (sizes.join() !== '0,1,65507') wrong.push('messages of ' + sizes);
  log('\\nverdict: ' + (wrong.length === 0 ? 'held' : 'open: ' + wrong.join(', ')) + '\\n');
  exitall();`;

export const run: Drive = async (scene) => {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      if (bytes.toString() === 'reset') socket.resetAndDestroy();
      if (bytes.toString() === 'half') socket.end('last');
    });
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
