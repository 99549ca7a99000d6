import { type DestinationRule, formatRestrictions, type QuantityName, type Restrictions } from '@potluck/protocol';
import type { Machine } from './machine.ts';

export const PERCENT_PER_VESSEL = 2;
export const PORTS_PER_VESSEL = 10;
/** The ports of the field's first example programs; the first vessel has them, so that these run as they stand. */
export const EXAMPLE_PORTS = [54_321, 43_210] as const;

const MB = 1_000_000;

/**
 * What the whole machine is taken to have, per second or at once; a vessel gets its percent of it. Processor, memory
 * and disk are measured. The rest is not: a measurement would disturb the donor, and a low guess only costs the users.
 */
const MACHINE_RATES = {
  /** Timers, listeners and waiting calls: 50 in a vessel of 2 %, as Seattle's clearinghouse gave. */
  events: 2500,
  /** 10 in a vessel of 2 %, as Seattle's. */
  filesopened: 500,
  /** 25 in a vessel of 2 %: a browser that looks at a vessel's page opens 6. */
  insockets: 1250,
  outsockets: 1250,
  /** Bytes per second of a slow disk. */
  filewrite: 50 * MB,
  fileread: 50 * MB,
  /** Bytes per second of a line of 100 Mbit/s: 250 kB/s in a vessel of 2 %. */
  netsend: 12.5 * MB,
  netrecv: 12.5 * MB,
  /** Bytes per second, as Seattle assumed where it could not measure. */
  loopsend: 50 * MB,
  looprecv: 50 * MB,
  /** 30 kB/s in a vessel of 2 %. */
  lograte: 1.5 * MB,
  /** 10 kB/s in a vessel of 2 %: above the 1 kB that one call may ask for. */
  random: 0.5 * MB,
} as const satisfies Partial<Record<QuantityName, number>>;

/** However large the disk, a vessel gets no more of it. */
const DISK_MOST_BYTES = 10_000 * MB;

/** As many vessels of 2 % as fit into the percent that is given, and at least one. */
export function vesselCount(percent: number): number {
  return Math.max(1, Math.floor(percent / PERCENT_PER_VESSEL));
}

/** Of one vessel, so that all together never pass what is given. */
export function vesselPercent(percent: number): number {
  return Math.min(percent, PERCENT_PER_VESSEL);
}

/** What one vessel of `percent` % of the machine may use, without its ports. */
export function quantitiesOf(machine: Machine, percent: number): Record<QuantityName, number> {
  const part = percent / 100;
  const rates = Object.entries(MACHINE_RATES).map(([name, most]) => [name, Math.max(1, Math.floor(most * part))]);
  return {
    ...(Object.fromEntries(rates) as Record<keyof typeof MACHINE_RATES, number>),
    cpu: Number((machine.cores * part).toFixed(6)),
    memory: Math.floor(machine.memoryBytes * part),
    diskused: Math.min(DISK_MOST_BYTES, Math.floor(machine.freeDiskBytes * part)),
  };
}

export interface Share {
  readonly percent: number;
  readonly portBase: number;
  readonly destinations: readonly DestinationRule[];
}

/** The restrictions of each vessel in text form; the first is that of `v1`. */
export function restrictionsOf(machine: Machine, share: Share): string[] {
  const quantities = quantitiesOf(machine, vesselPercent(share.percent));
  return Array.from({ length: vesselCount(share.percent) }, (_, index) => {
    const ports = new Set(portsOf(index, share.portBase));
    const { destinations } = share;
    return formatRestrictions({ quantities, messport: ports, connport: ports, destinations } satisfies Restrictions);
  });
}

function portsOf(index: number, portBase: number): number[] {
  const first = portBase + PORTS_PER_VESSEL * index;
  const own = Array.from({ length: PORTS_PER_VESSEL }, (_, offset) => first + offset);
  const examples: readonly number[] = EXAMPLE_PORTS;
  return index === 0 ? [...own, ...examples] : own.filter((port) => !examples.includes(port));
}
