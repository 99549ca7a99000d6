import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { interleave, type Row } from '../src/row.ts';
import { runProgram } from '../src/vessel.ts';

const ROUNDS = 25;

async function warmStart(files: RuntimeFiles): Promise<number> {
  await using program = await runProgram(files, "log('first');");
  return program.ms;
}

async function bareStart(): Promise<number> {
  const begin = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - begin;
}

export const start: Row = {
  name: 'start',
  run: async (files) => [
    {
      row: 'start of a program',
      ...(await interleave(ROUNDS, () => warmStart(files), bareStart)),
      unit: 'ms',
      better: 'less',
      counted: `warm process, start to its first log line / node -e 0, spawn to exit; median of ${ROUNDS}`,
    },
  ],
};
