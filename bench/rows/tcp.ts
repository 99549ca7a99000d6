import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { pairsOf, plainServer } from '../src/child.ts';
import { figuresOf, type Result, type Row } from '../src/row.ts';
import { freePort, runProgram } from '../src/vessel.ts';

const PAIRS = 10;
const BYTES = 64 * 1024 * 1024;

/** The text is ASCII, so a character is a byte. */
const sink = `
  let got = 0;
  while (got < ${BYTES}) got += (await connection.recv(65536)).length;
  await connection.send('done');
  connection.close();`;
const echo = `
  for (;;) await connection.send(await connection.recv(65536));`;
const source = (port: number, body: string) => `
const serve = async (connection) => {${body}
};
await waitforconn(getmyip(), ${port}, (ip, from, connection) => serve(connection).catch(() => connection.close()));
log('up');`;

async function measure(files: RuntimeFiles, mode: 'sink' | 'echo'): Promise<Result> {
  const [ours, bare] = [await freePort(), await freePort()];
  await using program = await runProgram(files, source(ours, mode === 'sink' ? sink : echo), { port: ours });
  await using _server = await plainServer('tcp-server.ts', [mode, bare, BYTES]);
  const pairs = await program.during(pairsOf('tcp-client.ts', [mode, ours, bare, BYTES, PAIRS]));
  return {
    row: `TCP ${mode}`,
    ...figuresOf(pairs),
    unit: 'MB/s',
    better: 'more',
    goal: { least: 0.6 },
    counted: `${BYTES / 2 ** 20} MiB on one connection, a program / bare node:net, the same client; median of ${PAIRS}`,
  };
}

export const tcp: Row = {
  name: 'tcp',
  run: async (files) => [await measure(files, 'sink'), await measure(files, 'echo')],
};
