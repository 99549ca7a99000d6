import type { RuntimeFiles } from '@potluck/vessel-runtime';

/** One line of the table: a figure of Potluck's and its floor, measured in the same run. */
export interface Result {
  readonly row: string;
  /** Medians, in `unit`. */
  readonly potluck: number;
  readonly floor: number;
  readonly unit: string;
  readonly better: 'less' | 'more';
  /** What was counted on both sides, and how often. */
  readonly counted: string;
}

export interface Row {
  readonly name: string;
  run(files: RuntimeFiles): Promise<Result[]>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

/**
 * Measures both in turn, so that whatever else the machine does falls on both.
 * @returns the medians of each side.
 */
export async function interleave(
  rounds: number,
  potluck: () => Promise<number>,
  floor: () => Promise<number>,
): Promise<{ potluck: number; floor: number }> {
  const values: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    values[0].push(await potluck());
    values[1].push(await floor());
  }
  return { potluck: median(values[0]), floor: median(values[1]) };
}
