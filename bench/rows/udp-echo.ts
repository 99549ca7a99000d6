import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { pairsOf, plainServer } from '../src/child.ts';
import { figuresOf, type Result, type Row } from '../src/row.ts';
import { freePort, runProgram } from '../src/vessel.ts';

const PAIRS = 15;

const source = (port: number) => `
await recvmess(getmyip(), ${port}, (ip, from, mess) => sendmess(ip, from, mess, getmyip(), ${port}));
log('up');`;

async function measure(files: RuntimeFiles, bytes: number): Promise<Result> {
  const [ours, bare] = [await freePort(), await freePort()];
  await using program = await runProgram(files, source(ours), { port: ours });
  await using _server = await plainServer('udp-echo.ts', [bare]);
  const pairs = await program.during(pairsOf('udp-client.ts', [ours, bare, bytes, PAIRS]));
  return {
    row: `UDP echo, ${bytes} B`,
    ...figuresOf(pairs),
    unit: 'echoes/s',
    better: 'more',
    goal: { least: 0.6 },
    counted: `echoes of a program / of bare node:dgram, window 64, the same client; median of ${PAIRS} x 0.4 s`,
  };
}

export const udpEcho: Row = {
  name: 'udp-echo',
  run: async (files) => [await measure(files, 64), await measure(files, 1400)],
};
