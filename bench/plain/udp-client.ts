// Keeps 64 packets on their way to an echo for a time and prints echoes per second. Usage: udp-client.ts PORT BYTES MS
import { createSocket } from 'node:dgram';

const WINDOW = 64;
const WARM_UP_MS = 200;
const LOST_AFTER_MS = 100;

const [port = 0, bytes = 0, ms = 0] = process.argv.slice(2).map(Number);
const packet = Buffer.alloc(bytes, 'potluck ');
const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
let echoes = 0;
let heardAt = performance.now();

function send(count: number): void {
  for (let sent = 0; sent < count; sent++) socket.send(packet, port, '127.0.0.1');
}

socket.on('message', (echo) => {
  if (echo.length !== bytes) process.exit(3);
  echoes++;
  heardAt = performance.now();
  send(1);
});
socket.bind(0, '127.0.0.1', () => send(WINDOW));
// A full buffer in the kernel drops packets; without them the window would shrink to nothing.
const refill = setInterval(() => {
  if (performance.now() - heardAt > LOST_AFTER_MS) send(WINDOW);
}, LOST_AFTER_MS);

setTimeout(() => {
  const [before, begin] = [echoes, performance.now()];
  setTimeout(() => {
    console.log(((echoes - before) * 1000) / (performance.now() - begin));
    clearInterval(refill);
    socket.close();
  }, ms);
}, WARM_UP_MS);
