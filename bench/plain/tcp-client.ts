// Writes BYTES down a connection until the sink has taken them, or until the echo has sent them back; now on one port and
// now on the other. Prints MB per second of both, a line for each pair.
// Usage: tcp-client.ts sink|echo PORT PORT BYTES PAIRS
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const WARM_UP_PAIRS = 2;
const [, , mode, ...numbers] = process.argv;
const [ours = 0, bare = 0, total = 0, pairs = 0] = numbers.map(Number);
const chunk = Buffer.alloc(64 * 1024, 'potluck ');

/** Resolves when all has come back: the sink answers with one word. */
function answered(connection: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let got = 0;
  connection.on('data', (part) => {
    got += part.length;
    if (mode === 'sink' || got >= total) resolve();
  });
  return promise;
}

async function measure(port: number): Promise<number> {
  const connection = connect(port, '127.0.0.1');
  await once(connection, 'connect');
  const done = answered(connection);
  const begin = performance.now();
  for (let sent = 0; sent < total; sent += chunk.length) {
    const part = sent + chunk.length <= total ? chunk : chunk.subarray(0, total - sent);
    if (!connection.write(part)) await once(connection, 'drain');
  }
  await done;
  const figure = total / 1e3 / (performance.now() - begin);
  connection.destroy();
  return figure;
}

for (let pair = -WARM_UP_PAIRS; pair < pairs; pair++) {
  const figures = [await measure(ours), await measure(bare)];
  if (pair >= 0) console.log(...figures);
}
