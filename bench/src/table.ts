import type { Result } from './row.ts';

const HEAD = ['row', 'potluck', 'floor', 'ratio', 'unit', 'what is counted'];
const NUMBERS = [1, 2, 3];

/** @returns the table as text; `ratio` is potluck to floor, and the unit says which way is better. */
export function formatTable(results: readonly Result[]): string {
  const lines = [HEAD, ...results.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const format = (line: string[]) =>
    line.map((cell, at) => (NUMBERS.includes(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)));
  return lines.map((line) => `${format(line).join('  ').trimEnd()}\n`).join('');
}

function cells({ row, potluck, floor, unit, better, counted }: Result): string[] {
  return [row, figure(potluck), figure(floor), (potluck / floor).toFixed(2), `${unit}, ${better} is better`, counted];
}

/** Three figures that mean something, never more. */
function figure(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}
