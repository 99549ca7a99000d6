import { isMeasured } from '@potluck/protocol';
import { countriesWhere, estimatedMs, kmBetween, type NodeFacts, spotOf, type Wish } from './facts.ts';

type WishOf<K extends Wish['kind']> = Extract<Wish, { kind: K }>;
/** Rules that look at one node; the others look at any two vessels. */
export type FilterWish = WishOf<'country' | 'within' | 'latency' | 'label' | 'nat'>;
export type PairWish = WishOf<'apart' | 'owners' | 'networks'>;

export function isFilter(wish: Wish): wish is FilterWish {
  return ['country', 'within', 'latency', 'label', 'nat'].includes(wish.kind);
}

export function isPair(wish: Wish): wish is PairWish {
  return wish.kind === 'apart' || wish.kind === 'owners' || wish.kind === 'networks';
}

/** A node of which is not known what the rule asks fits neither the rule nor its inverse. */
export function allows(wish: FilterWish, facts: NodeFacts): boolean {
  switch (wish.kind) {
    case 'nat':
      return facts.relayed !== (wish.not ?? false);
    case 'label': {
      const has = (label: string): boolean => facts.labels.includes(label);
      return wish.not ? !wish.labels.some(has) : wish.labels.every(has);
    }
    default:
      return facts.country === undefined
        ? isMeasured(wish)
        : isAnywhere(wish) || countriesOf(wish).includes(facts.country);
  }
}

/** Nothing is known of where the host is: each node is asked. */
export function isAnywhere(wish: FilterWish): boolean {
  return isMeasured(wish) && wish.at === undefined;
}

/** The countries that a rule about places allows: no place is known better than by its country. */
export function countriesOf(wish: WishOf<'country' | 'within' | 'latency'>): readonly string[] {
  if (wish.kind === 'country') {
    const named = new Set(wish.countries);
    return wish.not ? countriesWhere(({ country }) => !named.has(country)) : wish.countries;
  }
  const { at } = wish;
  if (at === undefined) return [];
  return countriesWhere((spot) => {
    const near = wish.kind === 'within' ? kmBetween(spot, at) <= wish.km : estimatedMs(kmBetween(spot, at)) <= wish.ms;
    return near !== (wish.not ?? false);
  });
}

/** Whether the node may be in a pair at all. */
export function isKnownTo(wish: PairWish, facts: NodeFacts): boolean {
  switch (wish.kind) {
    case 'apart':
      return spotOf(facts.country) !== undefined;
    case 'networks':
      return facts.network !== undefined;
    case 'owners':
      return facts.owner !== undefined;
  }
}

/** Whether two vessels, which may be of one node, may be held together. */
export function goTogether(wish: PairWish, a: NodeFacts, b: NodeFacts): boolean {
  switch (wish.kind) {
    case 'owners':
      return (a.owner !== b.owner) !== (wish.not ?? false);
    case 'networks':
      return (a.network !== b.network) !== (wish.not ?? false);
    case 'apart': {
      const km = kmOf(a, b);
      return km !== undefined && (wish.not ? km <= wish.km : km >= wish.km);
    }
  }
}

/** By the names of two countries; there are some hundreds. */
const distances = new Map<string, Map<string, number>>();

export function kmOf({ country: a }: NodeFacts, { country: b }: NodeFacts): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  const known = distances.get(a)?.get(b);
  if (known !== undefined) return known;
  const [from, to] = [spotOf(a), spotOf(b)];
  if (from === undefined || to === undefined) return undefined;
  const km = kmBetween(from, to);
  distances.set(a, (distances.get(a) ?? new Map<string, number>()).set(b, km));
  return km;
}
