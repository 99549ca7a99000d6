import { count as number } from '../style.ts';
import { type Fault, rolledOut, type Work, workOn } from './rollout.ts';
import type { Deployment } from './schema.ts';
import { expand, namesOthers, type Place } from './template.ts';

/** What is wanted, of all that a plan needs to know. */
export interface Wanted extends Pick<Deployment, 'args' | 'restart' | 'renew' | 'rollout'> {
  /** A short hash of the program, its files and its arguments as they are declared. */
  readonly version: string;
  readonly count: number;
  /** Whether vessels can be had of a clearinghouse. */
  readonly acquires: boolean;
}

/**
 * What a member's program does. `new`: all is in its vessel, and it was not started since. `finished`: it ended without a
 * failure. `stopped`: by a request. `lost`: its node went away while it ran.
 */
export type Doing = 'new' | 'started' | 'finished' | 'failed' | 'stopped' | 'lost';

/** What the mark in a vessel says, and what its node says beside it. Times are in milliseconds since the epoch. */
export interface Member {
  readonly index: number;
  readonly version: string;
  readonly args: readonly string[];
  /** Why its files are not those of its version; undefined if they are. */
  readonly changed?: string | undefined;
  readonly doing: Doing;
  /** Why it ended, in the node's words. */
  readonly why: string;
  /** How often it was started again in a row. */
  readonly restarts: number;
  /** When it may be started again. */
  readonly dueAt: number;
  /** When it is taken for healthy if it still runs. */
  readonly provenAt: number;
  /** Whether this process has started it. */
  readonly ours: boolean;
}

/**
 * A vessel that a deployment may have or has. `taken`: it is not ours to touch, and `why` says so. `away`: its node does
 * not answer; with a member, it was seen as one, and `lost` says that it has been away for too long.
 */
export interface Seen {
  /** `NODEID:v1` */
  readonly key: string;
  readonly ip: string;
  readonly port: number | undefined;
  readonly situation: 'free' | 'member' | 'taken' | 'away';
  readonly why?: string;
  readonly lost?: boolean;
  readonly member?: Member;
  /** When its lease ends; undefined for a vessel without one. */
  readonly expiresAt?: number | undefined;
}

/** What a vessel is to run. */
export interface Assignment {
  readonly index: number;
  readonly args: readonly string[];
}

interface OnVessel {
  readonly key: string;
  readonly why: string;
}

/** One thing to do; on one vessel, except to acquire. */
export type Step =
  | { readonly do: 'acquire'; readonly count: number; readonly why: string }
  | (OnVessel & { readonly do: 'renew' | 'remove' | 'release' })
  | (OnVessel & { readonly do: 'create' | 'update' } & Assignment)
  /** `restarts` tells one start of a program that fails at once from the next. */
  | (OnVessel & { readonly do: 'start'; readonly restarts: number } & Assignment);

export interface Plan {
  /** All that is to be done. */
  readonly steps: readonly Step[];
  /** Those of the steps that may be done at once; the others wait for them. */
  readonly ready: readonly Step[];
  /** Vessels whose program has to run a while yet before it is taken for healthy. */
  readonly proving: readonly string[];
  /** What is not as it is declared, and what no step mends. */
  readonly faults: readonly Fault[];
  /** Vessels that are left alone. */
  readonly notes: readonly OnVessel[];
}

export interface PlanInit {
  readonly now: number;
  /** A person asks: no restart has to wait, and none is one too many. */
  readonly asked: boolean;
}

/** What is to be done so that what is seen becomes what is wanted. Changes nothing, asks nobody. */
export function planOf(wanted: Wanted, seen: readonly Seen[], init: PlanInit): Plan {
  const { kept, surplus } = chosen(wanted, seen);
  const free = seen.filter(({ situation }) => situation === 'free');
  const picks = free.slice(0, Math.max(0, wanted.count - kept.size));
  const missing = wanted.count - kept.size - picks.length;
  const slots = withPicks(kept, picks, wanted.count);
  const places = Array.from({ length: wanted.count }, (_, index) => placeOf(slots.get(index), index));
  const work = [...slots].flatMap(([index, vessel]): Work[] => {
    const args = expand(wanted.args, placeOf(vessel, index) ?? { index, ip: '', port: undefined }, places);
    return workOn(wanted, { vessel, index, args }, init);
  });
  const roll = rolledOut(wanted, { work, members: [...kept.values()], init });
  const first: Step[] = [
    ...leases(wanted, [...slots.values()], { seen, now: init.now, missing }),
    ...surplus.map(({ key }): Step => ({ do: 'remove', key, why: `only ${wanted.count} are wanted` })),
  ];
  const waitsForAll = missing > 0 && wanted.acquires && namesOthers(wanted.args);
  const short = {
    code: 'NO_VESSELS',
    message: `expected ${number(missing, 'more free vessel')}, got none`,
    keys: [],
  } as const;
  return {
    steps: [...first, ...roll.steps],
    // Where members are told of each other, nobody is told before all are there.
    ready: [...first, ...roll.ready.filter((step) => !waitsForAll || step.do === 'start')],
    proving: roll.proving,
    faults: [...(missing > 0 && !wanted.acquires ? [short] : []), ...roll.faults],
    // Who holds vessels of a clearinghouse may hold more for other things: that is nothing to tell.
    notes: seen.flatMap(({ key, why, expiresAt }) =>
      why === undefined || expiresAt !== undefined ? [] : [{ key, why }],
    ),
  };
}

/** The members that stay, by their index, and those that are too many. */
function chosen({ count, version }: Wanted, seen: readonly Seen[]): { kept: Map<number, Seen>; surplus: Seen[] } {
  const rank = ({ situation, member }: Seen): number => {
    if (situation === 'away') return 3;
    if (member?.doing === 'failed') return 2;
    return member?.version === version && member.changed === undefined ? 0 : 1;
  };
  const members = seen
    .filter(({ member, lost }) => member !== undefined && lost !== true)
    .map((vessel) => ({ vessel, rank: rank(vessel), index: vessel.member?.index ?? 0 }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index || (a.vessel.key < b.vessel.key ? -1 : 1));
  const kept = new Map<number, Seen>();
  const homeless: Seen[] = [];
  for (const { vessel, index } of members) {
    if (index < count && !kept.has(index)) kept.set(index, vessel);
    else homeless.push(vessel);
  }
  const surplus: Seen[] = [];
  for (const vessel of homeless) {
    const index = firstFree(kept, count);
    if (index === undefined) surplus.push(vessel);
    else kept.set(index, vessel);
  }
  return { kept, surplus: surplus.filter(({ situation }) => situation === 'member') };
}

function withPicks(kept: ReadonlyMap<number, Seen>, picks: readonly Seen[], count: number): Map<number, Seen> {
  const slots = new Map(kept);
  for (const pick of picks) slots.set(firstFree(slots, count) ?? 0, pick);
  return new Map([...slots].sort(([a], [b]) => a - b));
}

function firstFree(slots: ReadonlyMap<number, Seen>, count: number): number | undefined {
  for (let index = 0; index < count; index += 1) if (!slots.has(index)) return index;
  return undefined;
}

function placeOf(vessel: Seen | undefined, index: number): Place | undefined {
  return vessel && { index, ip: vessel.ip, port: vessel.port };
}

function leases(
  { renew, acquires }: Wanted,
  held: readonly Seen[],
  { seen, now, missing }: { seen: readonly Seen[]; now: number; missing: number },
): Step[] {
  const ending = held.filter(({ expiresAt }) => expiresAt !== undefined && expiresAt - now < renew);
  const lost = seen.filter(({ lost, member, expiresAt }) => lost === true && member && expiresAt !== undefined);
  return [
    ...(missing > 0 && acquires ? [{ do: 'acquire', count: missing, why: 'too few are held' } as const] : []),
    ...lost.map(({ key }): Step => ({ do: 'release', key, why: 'its node has been away for too long' })),
    ...ending.map(({ key }): Step => ({ do: 'renew', key, why: 'its lease ends soon' })),
  ];
}
