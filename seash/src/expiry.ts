import { count, type Style } from './style.ts';

/** Until when a vessel is held, as ISO 8601 has it. */
export interface Expiry {
  readonly expiresAt: string;
  /** From then on the clearinghouse warns of it. */
  readonly warnAt: string;
}

/** `3h 59m`, `6d 23h` */
export function leftText(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  return days > 0 ? `${days}d ${hours}h` : `${hours}h ${minutes % 60}m`;
}

export function untilText({ expiresAt }: Expiry): string {
  return leftText(Date.parse(expiresAt) - Date.now());
}

/** @returns lines to show below a table: one if leases end so soon that their user is warned. */
export function endingLines(leases: readonly Expiry[], style: Style): string[] {
  const soon = leases.filter(({ warnAt }) => Date.parse(warnAt) <= Date.now());
  const [first] = soon.toSorted((a, b) => Date.parse(a.expiresAt) - Date.parse(b.expiresAt));
  if (first === undefined) return [];
  const ends = soon.length === 1 ? 'ends soon,' : 'end soon, the first';
  return [style.warning(`${count(soon.length, 'vessel')} ${ends} in ${untilText(first)}: say "renew %all".`)];
}
