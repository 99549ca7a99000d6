// The floor of a signed request: what a message each way costs in `ws` alone. A text says how many bytes an answer has from
// then on; each binary message is answered with as many. Usage: ws-echo.ts ws|wss PORT
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { generateIdentity, tlsOptionsOf } from '@potluck/protocol';
import { WebSocketServer } from 'ws';

const [, , scheme, port] = process.argv;
const server = scheme === 'wss' ? createTlsServer(await tlsOptionsOf(generateIdentity())) : createServer();
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  let answer = Buffer.alloc(0);
  socket.on('message', (data, isBinary) => {
    if (isBinary) socket.send(answer);
    else answer = Buffer.alloc(Number(String(data)), 'potluck ');
  });
});
server.listen(Number(port), '127.0.0.1', () => console.log('listening'));
