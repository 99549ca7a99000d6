import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Disk, type RuntimeFiles } from '@potluck/vessel-runtime';
import { figureOf } from '../src/child.ts';
import { type Goal, interleave, type Result, type Row } from '../src/row.ts';
import { figureOfProgram } from '../src/vessel.ts';

const ROUNDS = 7;
const COUNT_MS = 300;

interface Case {
  readonly operation: 'read' | 'write';
  readonly bytes: number;
  readonly title: string;
  readonly goal: Goal;
}

const SIZES = [
  { bytes: 4096, size: '4 KB', goal: { least: 0.3 } },
  { bytes: 2 ** 20, size: '1 MB', goal: { least: 0.7 } },
] as const;
const CASES: readonly Case[] = SIZES.flatMap(({ bytes, size, goal }) =>
  (['write', 'read'] as const).map((operation) => ({ operation, bytes, goal, title: `file ${operation}, ${size}` })),
);

const source = ({ operation, bytes }: Case) => `
const file = await openfile('bench', true, { encoding: 'binary' });
const data = new Uint8Array(${bytes}).fill(120);
const write = () => file.writeat(data, 0);
const read = () => file.readat(${bytes}, 0);
const run = async () => {
  const begin = getruntime();
  let runs = 0;
  for (; getruntime() - begin < ${COUNT_MS / 1000}; runs++) await ${operation}();
  return runs / (getruntime() - begin);
};
await write();
await run();
log(await run());`;

async function measure(files: RuntimeFiles, wanted: Case): Promise<Result> {
  const { operation, bytes, title, goal } = wanted;
  const directory = await mkdtemp(join(tmpdir(), 'potluck-bench-files-'));
  const disk = new Disk({ directory: join(directory, 'vessel'), limitBytes: 1e12 });
  try {
    await disk.count();
    const plain = [join(directory, 'plain'), operation, bytes, COUNT_MS];
    const figures = await interleave(
      ROUNDS,
      () => figureOfProgram(files, source(wanted), disk),
      () => figureOf('files.ts', plain),
    );
    const counted = `bytes, awaited one after the other, in a program / by the promises of node:fs; median of ${ROUNDS} x ${COUNT_MS / 1000} s`;
    return { row: title, ...figures, unit: 'calls/s', better: 'more', goal, counted };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export const fileRow: Row = {
  name: 'files',
  run: async (files) => {
    const results: Result[] = [];
    for (const wanted of CASES) results.push(await measure(files, wanted));
    return results;
  },
};
