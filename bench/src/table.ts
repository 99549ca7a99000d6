import { type Goal, type Result, ratioOf, reaches } from './row.ts';

const HEAD = ['row', 'potluck', 'floor', 'ratio', 'spread', 'goal', 'unit', 'what is counted'];
const NUMBERS = [1, 2, 3];
const LEGEND = `
ratio: potluck to floor, which is the same work in plain Node. spread: the middle half of the ratios, pair by pair.
`;

/** @returns the table as text; `ratio` is potluck to floor, and the unit says which way is better. */
export function formatTable(results: readonly Result[]): string {
  const lines = [HEAD, ...results.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: string[]) =>
    line.map((cell, at) => (NUMBERS.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)));
  return `${lines.map((line) => `${format(line).join('  ').trimEnd()}\n`).join('')}${LEGEND}`;
}

function cells(result: Result): string[] {
  const { row, potluck, floor, spread, goal, unit, better, counted } = result;
  const between = spread === undefined ? '-' : `${spread[0].toFixed(2)}-${spread[1].toFixed(2)}`;
  const wanted = goal === undefined ? '-' : `${wordsOf(goal, unit)}${reaches(result, goal) ? '' : ', missed'}`;
  const ratio = ratioOf(result).toFixed(2);
  return [row, figure(potluck), figure(floor), ratio, between, wanted, `${unit}, ${better} is better`, counted];
}

function wordsOf({ least, most, mostBeyond, within, atMost }: Goal, unit: string): string {
  if (atMost !== undefined) return `at most ${atMost} ${unit}`;
  if (within !== undefined) return `within ${within} ${unit}`;
  if (mostBeyond !== undefined) return `at most ${mostBeyond} ${unit} more`;
  return least === undefined ? `at most ${most}` : `at least ${least}`;
}

/** Three figures that mean something, never more. */
function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}
