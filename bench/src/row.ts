import type { RuntimeFiles } from '@potluck/vessel-runtime';

/** One line of the table: a figure of Potluck's and its floor, measured in the same run. */
export interface Result {
  readonly row: string;
  /** Medians, in `unit`. */
  readonly potluck: number;
  readonly floor: number;
  readonly unit: string;
  readonly better: 'less' | 'more';
  /** The median of the ratios and their quartiles, when both sides were measured in pairs. */
  readonly ratio?: number;
  readonly spread?: readonly [low: number, high: number];
  readonly goal?: Goal;
  /** What was counted on both sides, and how often. */
  readonly counted: string;
}

/** What the row should reach: a ratio of Potluck to its floor, or a distance between them in the row's unit. */
export interface Goal {
  readonly most?: number;
  readonly least?: number;
  readonly mostBeyond?: number;
  /** On either side of the floor, in the row's unit. */
  readonly within?: number;
  /** Potluck's own figure, whatever the floor. */
  readonly atMost?: number;
}

export interface Row {
  readonly name: string;
  /** Long or heavy: not part of a run of all rows. */
  readonly onlyNamed?: boolean;
  run(files: RuntimeFiles): Promise<Result[]>;
}

/** A figure of each side, measured one right after the other. */
export type Pair = readonly [potluck: number, floor: number];
export type Figures = Pick<Result, 'potluck' | 'floor' | 'ratio' | 'spread'>;

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** @returns the medians of each side and of the ratios, and between what the middle half of the ratios lies. */
export function figuresOf(pairs: readonly Pair[]): Figures {
  const ratios = pairs.map(([potluck, floor]) => potluck / floor);
  return {
    potluck: median(pairs.map(([potluck]) => potluck)),
    floor: median(pairs.map(([, floor]) => floor)),
    ratio: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
  };
}

/** Measures both in turn, so that whatever else the machine does falls on both. */
export async function interleave(
  rounds: number,
  potluck: () => Promise<number>,
  floor: () => Promise<number>,
): Promise<Figures> {
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round++) pairs.push([await potluck(), await floor()]);
  return figuresOf(pairs);
}

/** Potluck to its floor. */
export const ratioOf = ({ ratio, potluck, floor }: Result): number => ratio ?? potluck / floor;

/** @returns whether the row reaches its goal. */
export function reaches(result: Result, { least, most, mostBeyond, within, atMost }: Goal): boolean {
  if (atMost !== undefined && result.potluck > atMost) return false;
  if (within !== undefined && Math.abs(result.potluck - result.floor) > within) return false;
  const ratio = ratioOf(result);
  if (least !== undefined && ratio < least) return false;
  if (most !== undefined && ratio > most) return false;
  return mostBeyond === undefined || result.potluck - result.floor <= mostBeyond;
}
