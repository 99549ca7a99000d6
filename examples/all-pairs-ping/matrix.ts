import type { Peer } from './peers.ts';

export interface Matrix {
  readonly peers: readonly string[];
  /** `rtt[from][to]` in milliseconds. */
  readonly rtt: readonly (readonly (number | null)[])[];
  /** How often the vessel that serves this has pinged all others. */
  readonly rounds: number;
}

/** A table for a log: who measures down the side, whom along the top. */
export function matrixText(peers: readonly Peer[], rtt: Matrix['rtt']): string {
  const names = peers.map(({ ip, port }) => `${ip}:${port}`);
  const width = Math.max(...names.map((name) => name.length), 8) + 2;
  const head = ['ms', ...names].map((name) => name.padStart(width)).join('');
  const rows = rtt.map((row, from) =>
    [names[from] ?? '', ...row.map((ms) => (ms === null ? '-' : ms.toFixed(2)))]
      .map((cell) => cell.padStart(width))
      .join(''),
  );
  return [head, ...rows].join('\n');
}
