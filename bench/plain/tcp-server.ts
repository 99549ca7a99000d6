// The floor of both TCP rows: takes BYTES on each connection, then says so; or sends back what comes.
// Usage: tcp-server.ts sink|echo PORT BYTES
import { createServer } from 'node:net';

const [, , mode, port, total] = process.argv;
const server = createServer((connection) => {
  connection.on('error', () => {});
  if (mode === 'echo') {
    connection.pipe(connection);
    return;
  }
  let got = 0;
  connection.on('data', (part) => {
    got += part.length;
    if (got >= Number(total)) connection.end('done');
  });
});
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
