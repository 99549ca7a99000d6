import { addressText, type Reach } from '@potluck/protocol';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A span of time as people say it: `6 days`, `3 h 59 min`, `2 min`. */
export function spanInWords(ms: number): string {
  if (ms < MINUTE_MS) return 'less than a minute';
  if (ms >= 2 * DAY_MS) return `${Math.round(ms / DAY_MS)} days`;
  const hours = Math.floor(ms / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  if (hours === 0) return `${minutes} min`;
  return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
}

export function untilInWords(at: number, now = Date.now()): string {
  return at <= now ? 'now' : `in ${spanInWords(at - now)}`;
}

export function sinceInWords(at: number, now = Date.now()): string {
  return now - at < MINUTE_MS ? 'just now' : `${spanInWords(now - at)} ago`;
}

/** Runs of ports as ranges: `63100–63109, 54321`. */
export function portsInWords(ports: readonly number[]): string {
  const sorted = [...ports].sort((a, b) => a - b);
  const runs: { first: number; last: number }[] = [];
  for (const port of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && run.last + 1 === port) run.last = port;
    else runs.push({ first: port, last: port });
  }
  return runs.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
}

export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** Where a node is, for people: they tell nodes apart by it. */
export function placeInWords({ addresses: [first] }: Reach): string {
  return first === undefined ? 'behind a relay' : addressText(first);
}

/** The head of a long name, enough to tell it from its neighbours. */
export function shortened(id: string): string {
  return `${id.slice(0, 8)}…`;
}

/** An error's words as a page says them: with a capital and a full stop. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
