// The floor of the UDP echo: what the packet costs in Node alone. Usage: udp-echo.ts PORT
import { createSocket } from 'node:dgram';

const socket = createSocket({
  type: 'udp4',
  // Addresses come as numbers: without this each send asks the resolver, and the floor would be too low.
  lookup: (host, _options, done) => done(null, host, 4),
});
socket.on('message', (message, from) => socket.send(message, from.port, from.address));
socket.bind(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
