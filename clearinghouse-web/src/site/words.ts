import { addressText, type Reach } from '@potluck/protocol';
import type { LedgerReason } from '../store/credits.ts';
import type { DonatedNode, Offer } from '../store/donated.ts';

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

/** To the minute, the same for everybody. */
export function momentInWords(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The attributes of a `time` element: the moment for programs, and with its zone for who points at it. */
export function timeIn(at: number): string {
  const moment = new Date(at);
  return `datetime="${moment.toISOString()}" title="${moment.toUTCString()}"`;
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

/** Hours as people say them: `40 min`, `3 h`, `12 days`. */
export function hoursInWords(hours: number): string {
  if (hours === 0) return 'nothing';
  if (hours < 1) return `${Math.round(hours * 60)} min`;
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`;
}

/** What a machine offers in all: `0.2 cores, 500 MB memory, 1 GB disk`. */
export function offerInWords({ cpu, memoryBytes, diskBytes }: Offer): string {
  if (memoryBytes === 0) return '–';
  const cores = cpu < 0.995 ? `${Math.round(cpu * 100)} % of a core` : `${Math.round(cpu * 10) / 10} cores`;
  return `${cores}, ${bytesInWords(memoryBytes)} memory, ${bytesInWords(diskBytes)} disk`;
}

function bytesInWords(bytes: number): string {
  if (bytes >= 1e9) return `${Math.round(bytes / 1e8) / 10} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e3)} kB`;
}

type Standing = Pick<DonatedNode, 'life' | 'active' | 'draining' | 'reason' | 'lastSeen' | 'lent'>;

/** What a donor is told of a machine's state: a name, how it looks, and what it means. */
export function lifeInWords(node: Standing): { readonly name: string; readonly tone: string; readonly more: string } {
  const { life, active, draining, reason, lastSeen, lent } = node;
  const seen = `last seen ${sinceInWords(lastSeen)}`;
  if (life === 'gone') return { name: 'gone', tone: 'off', more: `${seen}; it counts again when it is back` };
  if (!active) return { name: 'away', tone: 'off', more: seen };
  if (life === 'broken') return { name: 'broken', tone: 'bad', more: reason ?? 'the operator can see why' };
  if (draining) {
    return {
      name: 'draining',
      tone: 'off',
      more: lent > 0 ? 'until its last lease has ended' : 'the operator offers it to nobody',
    };
  }
  if (life === 'accepting') return { name: 'accepting', tone: 'on', more: 'it is being looked at' };
  if (life === 'splitting') return { name: 'splitting', tone: 'on', more: 'it is being cut into vessels' };
  return { name: 'active', tone: 'on', more: lent > 0 ? 'in use' : 'offered' };
}

const CREDIT_REASONS: Readonly<Record<LedgerReason, string>> = {
  registration: 'Given to you when you joined',
  policy: 'What everybody is given has changed',
  donation: 'A donated machine came up',
  'donation-away': 'A donated machine went away',
  'donation-policy': 'What a donated machine adds has changed',
  acquire: 'Vessel acquired',
  'hand-back': 'Vessel given back: not all that were asked for could be had',
  release: 'Vessel released',
  expire: 'Lease ran out',
  stop: 'Lease ended by an administrator',
  'vessel-gone': 'Vessel gone from its machine',
};

/** Why credits were given or taken. */
export function creditsInWords(why: LedgerReason): string {
  return CREDIT_REASONS[why];
}

/** The head of a long name, enough to tell it from its neighbours. */
export function shortened(id: string): string {
  return `${id.slice(0, 8)}…`;
}

/** An error's words as a page says them: with a capital and a full stop. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
