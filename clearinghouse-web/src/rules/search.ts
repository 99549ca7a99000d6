import type { KeyId, VesselName } from '@potluck/protocol';
import type { NodeFacts } from './facts.ts';
import { goTogether, isKnownTo, type PairWish } from './filters.ts';

/** A free vessel on a node that is there. */
export interface Candidate {
  readonly node: KeyId;
  readonly name: VesselName;
  /** It owns the wanted port, for UDP and TCP; of any vessel when none is wanted. */
  readonly owns: boolean;
  readonly facts: NodeFacts;
}

export interface Wanted {
  readonly count: number;
  readonly pairs: readonly PairWish[];
  /** What the acquisition has got already. */
  readonly got: readonly NodeFacts[];
  /** Nodes on which the account has vessels: others are better. */
  readonly used: ReadonlySet<KeyId>;
  /** Of them, those where one of his owns the wanted port: there, others will do without it. */
  readonly covered: ReadonlySet<KeyId>;
}

/** Candidates that the rules cannot tell apart. */
interface Unit {
  readonly facts: NodeFacts;
  readonly members: readonly Candidate[];
  /** How many of them may be held together. */
  readonly weight: number;
}

/** How much may still be looked at: shared by all searches of one acquisition, so that no wish holds up the site for long. */
export interface Effort {
  /** Looks at two units by one rule; past it the best so far is the answer. */
  looks: number;
}

/** About 100 ms. */
export const LOOKS = 1_000_000;
const RESTARTS = 32;

/**
 * As many as wanted, or as many as were found: the largest set of which any two go together is looked for depth first,
 * from what fits best with others, and then in other orders, within a bounded number of steps.
 */
export function search(
  candidates: readonly Candidate[],
  wanted: Wanted,
  effort: Effort = { looks: LOOKS },
): Candidate[] {
  const { pairs, got, count } = wanted;
  const able = candidates.filter(
    ({ facts }) => pairs.every((wish) => isKnownTo(wish, facts)) && got.every((other) => together(pairs, facts, other)),
  );
  if (pairs.length === 0) return pick(able, wanted);
  const units = unitsOf(able, wanted);
  const climb = new Climb(pairs, count, effort);
  climb.try(byDegree(units, pairs, effort));
  for (let turn = 1; turn < RESTARTS && !climb.isOver; turn += 1) climb.try(shuffled(units));
  return pick(
    climb.best.flatMap(({ members, weight }) => pick(members, { ...wanted, count: Math.min(weight, count) })),
    wanted,
  );
}

/**
 * As many as wanted, or as there are: on each node first one that owns the port, on nodes without any of the account's
 * before others; then those on nodes where one of his does.
 */
export function pick(
  candidates: readonly Candidate[],
  { count, used, covered }: Omit<Wanted, 'pairs' | 'got'>,
): Candidate[] {
  const nodes = new Set(used);
  const withPort = new Set(covered);
  const chosen = new Set<Candidate>();
  const take = (fits: (candidate: Candidate) => boolean): void => {
    for (const candidate of candidates) {
      if (chosen.size >= count) return;
      if (chosen.has(candidate) || !fits(candidate)) continue;
      chosen.add(candidate);
      nodes.add(candidate.node);
      if (candidate.owns) withPort.add(candidate.node);
    }
  };
  take(({ owns, node }) => owns && !nodes.has(node));
  take(({ owns }) => owns);
  take(({ node }) => withPort.has(node));
  return [...chosen];
}

/** The search itself: keeps the best set that it has seen, and how much it may still look. */
class Climb {
  best: readonly Unit[] = [];
  #bestWeight = 0;
  readonly #effort: Effort;
  readonly #share: number;
  #isWhole = false;
  readonly #pairs: readonly PairWish[];
  readonly #count: number;

  constructor(pairs: readonly PairWish[], count: number, effort: Effort) {
    this.#pairs = pairs;
    this.#count = count;
    this.#effort = effort;
    this.#share = effort.looks / 8;
  }

  /** Nothing better will be found. */
  get isOver(): boolean {
    return this.#isWhole || this.#bestWeight >= this.#count || this.#effort.looks <= 0;
  }

  try(units: readonly Unit[]): void {
    // No order may take all of the work: another one may find at once what this one never does.
    const until = this.#effort.looks - this.#share;
    if (this.#extend([], units, { weight: 0, until })) this.#isWhole = true;
  }

  /** @returns whether all there is was looked at. */
  #extend(chosen: readonly Unit[], open: readonly Unit[], at: { weight: number; until: number }): boolean {
    const { weight, until } = at;
    if (weight > this.#bestWeight) {
      this.#bestWeight = weight;
      this.best = chosen;
    }
    let hope = weight + open.reduce((sum, unit) => sum + unit.weight, 0);
    for (const [index, unit] of open.entries()) {
      if (this.#bestWeight >= this.#count || hope <= this.#bestWeight) return true;
      if (this.#effort.looks <= Math.max(0, until)) return false;
      const rest = open.slice(index + 1);
      this.#effort.looks -= (rest.length + 1) * this.#pairs.length;
      const fitting = rest.filter((other) => together(this.#pairs, unit.facts, other.facts));
      if (!this.#extend([...chosen, unit], fitting, { weight: weight + unit.weight, until })) return false;
      hope -= unit.weight;
    }
    return true;
  }
}

function together(pairs: readonly PairWish[], a: NodeFacts, b: NodeFacts): boolean {
  return pairs.every((wish) => goTogether(wish, a, b));
}

function unitsOf(candidates: readonly Candidate[], wanted: Wanted): Unit[] {
  const { pairs, count } = wanted;
  const keyOf = ({ facts }: Candidate): string =>
    JSON.stringify(
      pairs.map(({ kind }) => (kind === 'apart' ? facts.country : kind === 'owners' ? facts.owner : facts.network)),
    );
  return [...Map.groupBy(candidates, keyOf).values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const several = together(pairs, first.facts, first.facts);
    const weight = pick(members, { ...wanted, count: several ? count : 1 }).length;
    return weight === 0 ? [] : [{ facts: first.facts, members, weight }];
  });
}

/** What fits with most stands first. Beyond some hundreds the looking would take longer than it saves. */
function byDegree(units: readonly Unit[], pairs: readonly PairWish[], effort: Effort): Unit[] {
  const looks = units.length ** 2 * pairs.length;
  if (looks > effort.looks / 2) return shuffled(units).sort((a, b) => b.weight - a.weight);
  effort.looks -= looks;
  const degrees = new Map(
    units.map((unit) => [
      unit,
      units.reduce((sum, other) => sum + (together(pairs, unit.facts, other.facts) ? other.weight : 0), unit.weight),
    ]),
  );
  return shuffled(units).sort((a, b) => (degrees.get(b) ?? 0) - (degrees.get(a) ?? 0));
}

function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
