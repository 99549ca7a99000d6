// Writes BYTES down one connection until the sink has taken them; prints MB per second. Usage: tcp-client.ts PORT BYTES
import { once } from 'node:events';
import { connect } from 'node:net';

const [port = 0, total = 0] = process.argv.slice(2).map(Number);
const chunk = Buffer.alloc(64 * 1024, 'potluck ');
const connection = connect(port, '127.0.0.1');
await once(connection, 'connect');
const done = once(connection, 'data');
const begin = performance.now();
for (let sent = 0; sent < total; sent += chunk.length) {
  const part = sent + chunk.length <= total ? chunk : chunk.subarray(0, total - sent);
  if (!connection.write(part)) await once(connection, 'drain');
}
await done;
console.log(total / 1e3 / (performance.now() - begin));
connection.destroy();
