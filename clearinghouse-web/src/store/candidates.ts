import type { AcquireType, KeyId } from '@potluck/protocol';
import { sql } from 'kysely';
import { POLICY } from '../limits.ts';
import type { Trx } from './database.ts';
import type { VesselRef } from './holdings.ts';
import { networkOfNode } from './networks.ts';
import { reachOf } from './nodes.ts';

/** Looked at in one acquisition: far more than anybody may ask for. */
const MOST = 5000;

export interface Candidate extends VesselRef {
  /** It owns the user's port, for UDP and TCP. */
  readonly owns: boolean;
  /** See `networkOf`. */
  readonly network: string;
  /** Its node is reached through a relay. */
  readonly relayed: boolean;
}

/** What is already given to an account and to the acquisition under way. */
export interface Taken {
  /** Nodes on which the account has vessels. */
  readonly nodes: readonly KeyId[];
  /** Networks of the vessels that this acquisition has got so far. */
  readonly networks: readonly string[];
}

/** Free vessels on active nodes, in random order, those that own the port first. */
export async function freeVessels(trx: Trx, port: number, without: readonly KeyId[]): Promise<Candidate[]> {
  const rows = await trx
    .selectFrom('vessels')
    .innerJoin('nodes', 'nodes.id', 'vessels.node_id')
    .leftJoin('vessel_ports as p', (join) =>
      join.onRef('p.node_id', '=', 'vessels.node_id').onRef('p.name', '=', 'vessels.name').on('p.port', '=', port),
    )
    .select(['vessels.node_id', 'vessels.name', 'nodes.reach', 'nodes.relayed', 'p.port as owned'])
    .where('vessels.state', '=', sql.lit('free'))
    .where('nodes.connected', '=', 1)
    .where('nodes.advertised_until', '>', Date.now())
    .where('nodes.life', '=', 'offered')
    .where('nodes.draining', '=', 0)
    .$if(without.length > 0, (query) => query.where('vessels.node_id', 'not in', without))
    .orderBy(sql`p.port IS NULL`)
    .orderBy(sql`random()`)
    .limit(MOST)
    .execute();
  return rows.map(({ node_id: node, name, reach, relayed, owned }) => {
    const network = networkOfNode(node, reachOf({ reach }));
    return { node, name, owns: owned !== null, network, relayed: relayed === 1 };
  });
}

/** As many as asked for, or as there are, among those that the type allows. */
export function chooseOf(
  type: AcquireType,
  { candidates, taken }: { candidates: readonly Candidate[]; taken: Taken },
  count: number,
): Candidate[] {
  switch (type) {
    case 'random':
      return choose(candidates, count, taken.nodes);
    case 'nat':
      return choose(
        candidates.filter(({ relayed }) => relayed),
        count,
        taken.nodes,
      );
    case 'wan':
      return choose(onePerNetwork(candidates, taken), count, taken.nodes);
    case 'lan':
      return choose(ofOneNetwork(candidates, count, taken), count, taken.nodes);
  }
}

/**
 * As many as asked for, or as there are: first those with the user's port on nodes that he has none on yet, then others
 * on such nodes, then any.
 */
export function choose(candidates: readonly Candidate[], count: number, taken: readonly KeyId[]): Candidate[] {
  const nodes = new Set(taken);
  const chosen = new Set<Candidate>();
  const take = (wanted: (candidate: Candidate) => boolean): void => {
    for (const candidate of candidates) {
      if (chosen.size >= count) return;
      if (chosen.has(candidate) || !wanted(candidate)) continue;
      chosen.add(candidate);
      nodes.add(candidate.node);
    }
  };
  take(({ owns, node }) => owns && !nodes.has(node));
  take(({ node }) => !nodes.has(node));
  take(() => true);
  return [...chosen];
}

/** Of each network that has given none yet, the one that `choose` would take first. */
function onePerNetwork(candidates: readonly Candidate[], taken: Taken): Candidate[] {
  const without = new Set(taken.networks);
  const networks = Map.groupBy(candidates, ({ network }) => network);
  return [...networks].flatMap(([network, ofIt]) => (without.has(network) ? [] : choose(ofIt, 1, taken.nodes)));
}

/** The network of what the acquisition has got; at first any that has enough, or else the one that has most. */
function ofOneNetwork(candidates: readonly Candidate[], count: number, taken: Taken): Candidate[] {
  const [begun] = taken.networks;
  if (begun !== undefined) return candidates.filter(({ network }) => network === begun);
  const networks = [...Map.groupBy(candidates, ({ network }) => network).values()];
  const largest = networks.reduce<Candidate[]>((best, ofIt) => (ofIt.length > best.length ? ofIt : best), []);
  return networks.find(({ length }) => length >= count) ?? largest;
}

/** The user's port, given at his first acquisition: one that many nodes have free and few users share. */
export async function userPortOf(trx: Trx, accountId: string): Promise<number> {
  const account = await trx
    .selectFrom('accounts')
    .select('user_port')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  if (account.user_port !== null) return account.user_port;
  const port = await leastCrowdedPort(trx);
  await trx.updateTable('accounts').set({ user_port: port }).where('id', '=', accountId).execute();
  return port;
}

async function leastCrowdedPort(trx: Trx): Promise<number> {
  const { firstUserPort, lastUserPort } = POLICY;
  const offered = await trx
    .selectFrom('vessel_ports')
    .innerJoin('vessels', (join) =>
      join.onRef('vessels.node_id', '=', 'vessel_ports.node_id').onRef('vessels.name', '=', 'vessel_ports.name'),
    )
    .select(['vessel_ports.port', (eb) => eb.fn.countAll<number>().as('n')])
    .where('vessels.state', '=', sql.lit('free'))
    .where('vessel_ports.port', '>=', firstUserPort)
    .where('vessel_ports.port', '<=', lastUserPort)
    .groupBy('vessel_ports.port')
    .execute();
  const sharers = await trx
    .selectFrom('accounts')
    .select(['user_port', (eb) => eb.fn.countAll<number>().as('n')])
    .where('user_port', 'is not', null)
    .groupBy('user_port')
    .execute();
  const nodes = new Map(offered.map(({ port, n }) => [port, Number(n)]));
  const users = new Map(sharers.map(({ user_port, n }) => [user_port, Number(n)]));
  const score = (port: number): number => ((nodes.get(port) ?? 0) + 0.01) / ((users.get(port) ?? 0) + 1);
  let best = firstUserPort;
  for (let port = firstUserPort; port <= lastUserPort; port += 1) {
    if (score(port) > score(best)) best = port;
  }
  return best;
}
