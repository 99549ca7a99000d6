import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { figureOf, plainServer } from '../src/child.ts';
import { interleave, type Result, type Row } from '../src/row.ts';
import { freePort, runProgram } from '../src/vessel.ts';

const ROUNDS = 5;
const BYTES = 64 * 1024 * 1024;

/** The text is ASCII, so a character is a byte. */
const source = (port: number) => `
await waitforconn(getmyip(), ${port}, async (ip, from, connection) => {
  let got = 0;
  while (got < ${BYTES}) got += (await connection.recv(65536)).length;
  await connection.send('done');
  connection.close();
});
log('up');`;

async function measure(files: RuntimeFiles): Promise<Result> {
  const [ours, bare] = [await freePort(), await freePort()];
  await using program = await runProgram(files, source(ours), ours);
  await using _server = await plainServer('tcp-sink.ts', [bare, BYTES]);
  const figures = await interleave(
    ROUNDS,
    () => program.during(figureOf('tcp-client.ts', [ours, BYTES])),
    () => figureOf('tcp-client.ts', [bare, BYTES]),
  );
  return {
    row: 'TCP stream in',
    ...figures,
    unit: 'MB/s',
    better: 'more',
    counted: `${BYTES / 2 ** 20} MiB on one connection into a program / into bare node:net, the same client; median of ${ROUNDS}`,
  };
}

export const tcpStream: Row = { name: 'tcp-stream', run: async (files) => [await measure(files)] };
