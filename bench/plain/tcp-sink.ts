// The floor of the TCP stream: takes BYTES on each connection, then says so. Usage: tcp-sink.ts PORT BYTES
import { createServer } from 'node:net';

const [port = 0, total = 0] = process.argv.slice(2).map(Number);
const server = createServer((connection) => {
  let got = 0;
  connection.on('data', (part) => {
    got += part.length;
    if (got >= total) connection.end('done');
  });
  connection.on('error', () => {});
});
server.listen(port, '127.0.0.1', () => console.log('listening'));
