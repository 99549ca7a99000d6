import type { KeyId } from '@potluck/protocol';
import { estimatedMs, kmBetween, type NodeFacts, spotOf, type Wish } from '../rules/facts.ts';
import { allows, isFilter, isPair, kmOf } from '../rules/filters.ts';
import { type Candidate, LOOKS, type Effort as Looks, search } from '../rules/search.ts';
import { type Culprit, type Miss, refusalOf, type Shortage } from '../rules/words.ts';
import type { Trx } from './database.ts';
import { factsOf, MOST_ROWS, Offers, othersOn, type Sought } from './offers.ts';
import { userPortOf } from './ports.ts';

/** Who wants vessels, of what kind, and how many. */
export interface Request {
  readonly accountId: string;
  /** Of the acquisition: what it has got already counts for its rules. */
  readonly attempt: string;
  readonly wishes: readonly Wish[];
  readonly count: number;
  /** Nodes that have just failed. */
  readonly without: readonly KeyId[];
}

interface Held {
  readonly used: ReadonlySet<KeyId>;
  readonly covered: ReadonlySet<KeyId>;
  readonly got: readonly NodeFacts[];
}

interface Choice {
  readonly chosen: Candidate[];
  readonly seen: readonly Candidate[];
}

/** Candidates of the first look: some to choose from, more where the rules look at pairs. */
const FIRST_LOOK = 16;
const FIRST_LOOK_PAIRS = 200;

/** What may still be spent: on the choice itself, and as much on the explanation of a shortage, whatever the rules are. */
interface Effort extends Looks {
  rows: number;
}

/** All that are wanted, by the rules. @throws PortalError UNABLE_TO_ACQUIRE: it names the rule that is in the way */
export async function chooseVessels(trx: Trx, request: Request): Promise<Candidate[]> {
  const port = await wantedPort(trx, request);
  const { chosen } = await choose(trx, request, { port, effort: freshEffort() });
  if (chosen.length >= request.count) return chosen;
  throw refusalOf(await explain(trx, request, { port, found: chosen.length }));
}

function freshEffort(): Effort {
  return { looks: LOOKS, rows: MOST_ROWS };
}

async function choose(
  trx: Trx,
  request: Request,
  { port, effort }: { port: number | 'any'; effort: Effort },
): Promise<Choice> {
  const { wishes, count } = request;
  const sought = soughtOf(request, port);
  const pairs = wishes.filter(isPair);
  const held = await heldBy(trx, request, port);
  const offers = new Offers(trx, sought, effort);
  const seen: Candidate[] = [];
  let least = pairs.length > 0 ? 10 * count + FIRST_LOOK_PAIRS : 2 * count + FIRST_LOOK;
  for (;;) {
    seen.push(...(await offers.next(least)));
    if (offers.isOver) {
      // Of two on one node no rule about different ones takes both.
      const beside = pairs.some(({ not }) => !not) ? [] : seen.map(({ node }) => node);
      seen.push(...(await othersOn(trx, sought, [...new Set([...beside, ...held.covered])])));
    }
    const chosen = search(seen, { count, pairs, ...held }, effort);
    if (chosen.length >= count || offers.isOver) return { chosen, seen };
    least *= 8;
  }
}

async function wantedPort(trx: Trx, request: Request): Promise<number | 'any'> {
  const rule = request.wishes.find(({ kind }) => kind === 'port');
  if (rule?.kind !== 'port') return await userPortOf(trx, request.accountId, soughtOf(request, 'any'));
  return rule.not ? 'any' : rule.port;
}

function soughtOf({ wishes, without }: Request, port: number | 'any'): Sought {
  const excluded = wishes.find((wish) => wish.kind === 'port' && wish.not);
  const notPort = excluded?.kind === 'port' && excluded.port !== 'any' ? excluded.port : undefined;
  return { port, notPort, filters: wishes.filter(isFilter), without };
}

async function heldBy(trx: Trx, { accountId, attempt }: Request, port: number | 'any'): Promise<Held> {
  const rows = await trx
    .selectFrom('vessels')
    .innerJoin('nodes', 'nodes.id', 'vessels.node_id')
    .leftJoin('donations', 'donations.node_id', 'vessels.node_id')
    .leftJoin('vessel_ports as p', (join) =>
      join
        .onRef('p.node_id', '=', 'vessels.node_id')
        .onRef('p.name', '=', 'vessels.name')
        .on('p.port', '=', port === 'any' ? 0 : port),
    )
    .select(['vessels.node_id', 'vessels.attempt', 'vessels.state', 'donations.account_id as owner', 'p.port as owned'])
    .select(['nodes.network', 'nodes.country', 'nodes.labels', 'nodes.relayed'])
    .where('vessels.account_id', '=', accountId)
    .execute();
  return {
    used: new Set(rows.map(({ node_id }) => node_id)),
    covered: new Set(rows.filter(({ owned }) => owned !== null).map(({ node_id }) => node_id)),
    got: rows.filter((row) => row.attempt === attempt && row.state === 'reserved').map(factsOf),
  };
}

/** The first rule without which there would be enough; if none alone is in the way, the first with which there is not. */
async function explain(
  trx: Trx,
  request: Request,
  { port, found }: { port: number | 'any'; found: number },
): Promise<Shortage> {
  const { count: wanted, wishes } = request;
  const rules: Culprit[] = wishes.filter((wish) => wish.kind !== 'port' || wish.not || wish.port !== 'any');
  if (port !== 'any' && !wishes.some(({ kind }) => kind === 'port')) rules.push({ kind: 'own-port', port });
  const under = async (left: readonly Culprit[]): Promise<Choice> => {
    const isKept = (wish: Wish): boolean => left.includes(wish);
    const needsPort = left.some((rule) => rule.kind === 'own-port' || (rule.kind === 'port' && !rule.not));
    const kept = { ...request, wishes: wishes.filter(isKept) };
    return await choose(trx, kept, { port: needsPort ? port : 'any', effort });
  };
  const effort = freshEffort();
  const isSpent = (): boolean => effort.looks <= 0 || effort.rows <= 0;
  const isMoreAlone = async (culprit: Culprit, than: number): Promise<boolean> =>
    rules.length > 1 && !isSpent() && (await under([culprit])).chosen.length > than;
  const all = (await under([])).chosen.length;
  if (all < wanted && !isSpent()) return { wanted, found: all };
  for (const culprit of rules) {
    if (isSpent()) break;
    const others = await under(rules.filter((rule) => rule !== culprit));
    if (others.chosen.length < wanted) continue;
    const beside = (await isMoreAlone(culprit, found)) ? 'all' : undefined;
    return { wanted, found, culprit, beside, miss: missOf(culprit, others, await under(rules)) };
  }
  for (const [index, culprit] of rules.entries()) {
    if (isSpent()) break;
    const within = await under(rules.slice(0, index + 1));
    const some = within.chosen.length;
    if (some >= wanted || isSpent()) continue;
    const beside = (await isMoreAlone(culprit, some)) ? 'before' : undefined;
    return { wanted, found: some, culprit, beside, miss: missOf(culprit, await under(rules.slice(0, index)), within) };
  }
  return { wanted, found };
}

/** How near the best comes that the rule does not allow. @param others what there is without the rule. */
function missOf(culprit: Culprit, others: Choice, { chosen }: Choice): Miss | undefined {
  const wish = culprit as Wish;
  if (wish.kind === 'apart') {
    const distances = others.seen
      .filter((candidate) => !chosen.some(({ node, name }) => node === candidate.node && name === candidate.name))
      .map(({ facts }) => chosen.flatMap((one) => kmOf(one.facts, facts) ?? []))
      .filter((some) => some.length > 0)
      .map((some) => (wish.not ? Math.max(...some) : Math.min(...some)))
      // What is within the rule failed by another.
      .filter((km) => (wish.not ? km > wish.km : km < wish.km));
    if (distances.length === 0) return undefined;
    return { km: wish.not ? Math.min(...distances) : Math.max(...distances) };
  }
  if ((wish.kind !== 'within' && wish.kind !== 'latency') || wish.at === undefined) return undefined;
  const { at } = wish;
  const distances = others.seen.flatMap(({ facts }) => {
    const spot = allows(wish, facts) ? undefined : spotOf(facts.country);
    return spot === undefined ? [] : [kmBetween(spot, at)];
  });
  if (distances.length === 0) return undefined;
  const km = wish.not ? Math.max(...distances) : Math.min(...distances);
  return wish.kind === 'within' ? { km } : { ms: estimatedMs(km) };
}
