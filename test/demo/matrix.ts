import { z } from 'zod';

/** What `examples/all-pairs-ping` serves as `/matrix.json`: round-trip times in milliseconds, row pings column. */
export const matrixSchema = z.object({
  peers: z.array(z.string()),
  rtt: z.array(z.array(z.number().nullable())),
  rounds: z.number(),
});
export type Matrix = z.infer<typeof matrixSchema>;

/** A table for a terminal: one row a vessel, milliseconds with two digits. */
export function formatMatrix({ peers, rtt }: Matrix): string {
  const width = Math.max(...peers.map((peer) => peer.length)) + 2;
  const line = (cells: string[]): string => cells.map((cell) => cell.padStart(width)).join('');
  const rows = peers.map((peer, row) => {
    const times = (rtt[row] ?? []).map((ms, column) => (column === row ? '-' : `${ms?.toFixed(2) ?? '?'} ms`));
    return line([peer, ...times]);
  });
  return [line(['from \\ to', ...peers]), ...rows].join('\n');
}
