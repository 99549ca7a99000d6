import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RuntimeFiles } from '@potluck/vessel-runtime';
import { type OneVesselNode, oneVesselNode } from '../src/node.ts';
import { quiet } from '../src/quiet.ts';
import { interleave, type Result, type Row } from '../src/row.ts';
import { coldStart, runProgram } from '../src/vessel.ts';

export interface StartInit {
  readonly rounds: number;
  /** Each waits twice for the node manager's pool. */
  readonly signedRounds: number;
  /** See `quiet`. */
  readonly lookMs?: number;
}

const SOURCE = "log('first');";

async function warmStart(files: RuntimeFiles): Promise<number> {
  await using program = await runProgram(files, SOURCE);
  return program.ms;
}

/** A request for a start, from the moment before it is signed; the node's pool is full again by then. */
async function signedStart(node: OneVesselNode, lookMs: number | undefined): Promise<number> {
  await quiet(lookMs);
  const ms = await node.start();
  await node.stop();
  return ms;
}

export async function bareStart(): Promise<number> {
  const begin = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - begin;
}

const bareOf = (rounds: number): string => `node -e 0, spawn to exit; median of ${rounds}`;
const MS = { unit: 'ms', better: 'less' } as const;

async function signed({ signedRounds, lookMs }: StartInit): Promise<Result> {
  await using node = await oneVesselNode('settimer(1000, () => {});');
  const floor = async (): Promise<number> => {
    await quiet(lookMs);
    return await bareStart();
  };
  const figures = await interleave(signedRounds, () => signedStart(node, lookMs), floor);
  const counted = `a signed StartVessel to the node's word that the first statement runs, from the warm pool / ${bareOf(signedRounds)}`;
  return { row: 'signed start', ...figures, ...MS, goal: { most: 0.25 }, counted };
}

export async function measureStart(files: RuntimeFiles, init: StartInit): Promise<Result[]> {
  const { rounds } = init;
  return [
    {
      row: 'start of a program',
      ...(await interleave(rounds, () => warmStart(files), bareStart)),
      ...MS,
      counted: `warm process, start to its first log line / ${bareOf(rounds)}`,
    },
    await signed(init),
    {
      row: 'cold start, all walls',
      ...(await interleave(rounds, () => coldStart(files, SOURCE), bareStart)),
      ...MS,
      goal: { most: 1.5 },
      counted: `spawn of a vessel process to the program's first log line / ${bareOf(rounds)}`,
    },
  ];
}

export const start: Row = {
  name: 'start',
  run: async (files) => await measureStart(files, { rounds: 25, signedRounds: 7 }),
};
