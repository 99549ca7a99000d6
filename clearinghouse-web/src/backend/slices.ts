import { PORT_NAMES, QUANTITY_NAMES, type QuantityName, type Restrictions, stepsPerUnit } from '@potluck/protocol';
import type { SliceSizes } from '../slice.ts';

/** What an operator offers at least, and how many ports with it. */
export interface Slice {
  readonly restrictions: Restrictions;
  readonly ports: number;
}

/** As the policy says it. */
export function sliceOf({ ports, ...quantities }: SliceSizes): Slice {
  const none = { messport: new Set<number>(), connport: new Set<number>(), destinations: [] };
  return { restrictions: { quantities, ...none }, ports };
}

/**
 * How many slices a vessel can be split into, each split costing the offcut; 0 when it is less than one. A vessel of one
 * is offered as it is: what the installer makes is ready.
 */
export function slicesIn(whole: Restrictions, slice: Slice, offcut: Restrictions): number {
  const byQuantity = QUANTITY_NAMES.map((name) => {
    const [least, cost] = [stepsOf(name, slice.restrictions), stepsOf(name, offcut)];
    if (least + cost === 0) return Number.POSITIVE_INFINITY;
    return Math.floor((stepsOf(name, whole) + cost) / (least + cost));
  });
  const byPort = slice.ports === 0 ? [] : PORT_NAMES.map((name) => Math.floor(whole[name].size / slice.ports));
  const most = Math.min(...byQuantity, ...byPort);
  return Number.isFinite(most) ? most : 1;
}

/**
 * One of `parts` equal parts of a vessel: what is left when it was split off, and the offcut with it, divides into
 * `parts - 1` of the same. So whoever comes after a split goes on where it was left.
 */
export function partOf(whole: Restrictions, parts: number, { slice, offcut }: Rule): Restrictions {
  const quantities = Object.fromEntries(
    QUANTITY_NAMES.map((name) => {
      const left = stepsOf(name, whole) - (parts - 1) * stepsOf(name, offcut);
      return [name, Math.max(0, Math.floor(left / parts)) / stepsPerUnit(name)];
    }),
  ) as Record<QuantityName, number>;
  return {
    quantities,
    messport: firstOf(whole.messport, slice.ports),
    connport: firstOf(whole.connport, slice.ports),
    destinations: [],
  };
}

export interface Rule {
  readonly slice: Slice;
  readonly offcut: Restrictions;
}

function stepsOf(name: QuantityName, { quantities }: Restrictions): number {
  return Math.round(quantities[name] * stepsPerUnit(name));
}

function firstOf(ports: ReadonlySet<number>, count: number): ReadonlySet<number> {
  return new Set([...ports].sort((a, b) => a - b).slice(0, count));
}
