import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { figureOf } from '../src/child.ts';
import { interleave, type Result, type Row } from '../src/row.ts';
import { figureOfProgram } from '../src/vessel.ts';

const ROUNDS = 7;
const CALLS = 50_000;

const source = (call: string) => `
for (let made = 0; made < ${CALLS}; made++) ${call}();
const begin = getruntime();
for (let made = 0; made < ${CALLS}; made++) ${call}();
log(((getruntime() - begin) * 1e9) / ${CALLS});`;

async function measure(files: RuntimeFiles, call: string): Promise<Result> {
  const figures = await interleave(
    ROUNDS,
    () => figureOfProgram(files, source(call)),
    () => figureOf('bridge.ts', [files.native, CALLS], ['--no-node-snapshot']),
  );
  return {
    row: `call of ${call}`,
    ...figures,
    unit: 'ns',
    better: 'less',
    goal: { most: 2 },
    counted: `a call in a program / of an empty function out of a bare isolate; median of ${ROUNDS} x ${CALLS}`,
  };
}

export const calls: Row = {
  name: 'calls',
  run: async (files) => [await measure(files, 'getruntime'), await measure(files, 'randomfloat')],
};
