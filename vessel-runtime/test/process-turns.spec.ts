import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { removeRuntime } from './helper.ts';
import { runProgram } from './process-helper.ts';

const PEER = '127.0.12.5';

describe('sends on a connection that the system takes at once', () => {
  after(removeRuntime);

  it('count every byte, and leave timers their turn however many they are', async () => {
    let got = 0;
    const server = createServer((connection) => {
      connection.on('data', (part) => {
        got += part.length;
      });
    }).listen(0, PEER);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const source = `let ticks = 0; setInterval(() => { ticks += 1; }, 4);
      const peer = await openconn('${PEER}', ${port}); let sent = 0;
      for (const part of ['€', 'x'.repeat(999), Uint8Array.of(1, 2, 3)]) log(await peer.send(part), '');
      while (ticks < 5) sent += await peer.send('x'.repeat(1000));
      peer.close(); log(sent); exitall();`;
    const ended = once(server, 'connection').then(([connection]) => once(connection, 'end'));
    const restrictions = `resource loopsend 1e12\ndestination allow ${PEER}`;
    const { log } = await runProgram(source, { address: '127.0.12.6', restrictions });
    await ended;
    server.close();
    const numbers = log.split(' ').map(Number);
    assert.deepEqual(numbers.slice(0, 3), [3, 999, 3]);
    assert.equal(
      got,
      numbers.reduce((sum, bytes) => sum + bytes),
    );
  });
});
