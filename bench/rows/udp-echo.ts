import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { figureOf, plainServer } from '../src/child.ts';
import { interleave, type Result, type Row } from '../src/row.ts';
import { freePort, runProgram } from '../src/vessel.ts';

const ROUNDS = 5;
const MS = 1000;

const source = (port: number) => `
await recvmess(getmyip(), ${port}, (ip, from, mess) => sendmess(ip, from, mess, getmyip(), ${port}));
log('up');`;

async function measure(files: RuntimeFiles, bytes: number): Promise<Result> {
  const [ours, bare] = [await freePort(), await freePort()];
  await using program = await runProgram(files, source(ours), ours);
  await using _server = await plainServer('udp-echo.ts', [bare]);
  const figures = await interleave(
    ROUNDS,
    () => program.during(figureOf('udp-client.ts', [ours, bytes, MS])),
    () => figureOf('udp-client.ts', [bare, bytes, MS]),
  );
  return {
    row: `UDP echo, ${bytes} B`,
    ...figures,
    unit: 'echoes/s',
    better: 'more',
    counted: `echoes of a program / of bare node:dgram, window 64, the same client; median of ${ROUNDS} x ${MS / 1000} s`,
  };
}

export const udpEcho: Row = {
  name: 'udp-echo',
  run: async (files) => [await measure(files, 64), await measure(files, 1400)],
};
