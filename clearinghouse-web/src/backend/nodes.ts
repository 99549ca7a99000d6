import { formatRestrictions, parseRestrictions, type Restrictions, type VesselInfo } from '@potluck/protocol';
import { TaskError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { FoundVessel } from '../store/inventory.ts';
import { connect, type Effect, nothing, type Work } from './handlers.ts';
import type { TaskOf } from './kinds.ts';
import { partOf, type Rule, sliceOf, slicesIn } from './slices.ts';
import type { Talk } from './talk.ts';

/** Splits in one task: its claim must outlast them. The next task goes on where this one ended. */
const SPLITS = 8;

/** Looks at a node and takes in what it finds; the database decides what follows of it. */
export async function inspectNode(components: Work, { node }: TaskOf<'inspect-node'>): Promise<Effect> {
  const { store } = components;
  const known = await store.nodes.find(node);
  const donors = await store.accounts.donorsOf(known?.keys ?? []);
  const [anyDonor] = donors.keys();
  if (known === undefined || anyDonor === undefined) return nothing;
  await using client = await connect(components, node, anyDonor);
  const vessels = await vesselsOf(client);
  const rule = await ruleOf(components, client);
  const isFull = vessels.length >= LIMITS.vesselsPerNode;
  const found = await Promise.all(
    vessels.map(async (vessel) => {
      const donor = donors.get(vessel.owner);
      if (donor === undefined) return [];
      const { restrictions, slices } = await measure(client, vessel, rule);
      return [describe(vessel, donor, { restrictions, whole: slices > 1 && !isFull })];
    }),
  );
  return async (trx) => await store.inventory.record(trx, node, found.flat());
}

/** A vessel on the node, and how many slices it has. */
interface Measured {
  readonly vessel: VesselInfo;
  readonly restrictions: Restrictions;
  readonly slices: number;
}

/**
 * Splits what was donated whole. What has been done can be seen on the node itself, so that it may end anywhere, and
 * whoever comes next does the rest.
 */
export async function splitNode(components: Work, { node }: TaskOf<'split-node'>): Promise<Effect> {
  const { store } = components;
  const plan = await store.inventory.splitting(node);
  if (plan === undefined) return nothing;
  await using client = await connect(components, node, plan.owner);
  let before = -1;
  for (let split = 0; split < SPLITS; split += 1) {
    const vessels = await vesselsOf(client);
    // One that says yes and does nothing would be asked for ever.
    if (vessels.length <= before) throw unsplit(client, vessels.length);
    before = vessels.length;
    const rule = await ruleOf(components, client);
    const mine = vessels.filter(({ owner, name }) => owner === plan.owner && !plan.kept.has(name));
    const measured = await Promise.all(mine.map(async (vessel) => await measure(client, vessel, rule)));
    // The largest first: after a kill in the middle, that is the one which was being split.
    const [largest] = measured.toSorted((one, other) => other.slices - one.slices);
    const parts = Math.min(largest?.slices ?? 0, LIMITS.vesselsPerNode - vessels.length + 1);
    if (largest === undefined || parts < 2) return async (trx) => await store.inventory.split(trx, node, 'nothing');
    await empty(client, largest.vessel);
    const restrictions = formatRestrictions(partOf(largest.restrictions, parts, rule));
    await client.call('SplitVessel', { vessel: largest.vessel.name, restrictions });
  }
  return async (trx) => await store.inventory.split(trx, node, 'more');
}

function unsplit({ node }: Talk, vessels: number): TaskError {
  return new TaskError('TASK_FAILED', `expected ${node} to have more vessels after a split, got ${vessels} as before`);
}

async function measure(client: Talk, vessel: VesselInfo, { slice, offcut }: Rule): Promise<Measured> {
  const result = await client.call('GetVesselResources', { vessel: vessel.name });
  const restrictions = parseRestrictions(result.restrictions, `restrictions of ${vessel.name}`);
  return { vessel, restrictions, slices: slicesIn(restrictions, slice, offcut) };
}

/** Nobody's programs and files: what is split must not run, and is new for whoever gets it. */
async function empty(client: Talk, { name, users, state }: VesselInfo): Promise<void> {
  if (users.length > 0) await client.call('ChangeUsers', { vessel: name, users: [] });
  if (state !== 'Fresh') await client.call('ResetVessel', { vessel: name });
}

/** @throws TaskError TASK_FAILED: it has more than any node has */
async function vesselsOf(client: Talk): Promise<readonly VesselInfo[]> {
  const { vessels } = await client.call('GetVessels', {});
  if (vessels.length <= LIMITS.vesselsPerNode) return vessels;
  const message = `expected at most ${LIMITS.vesselsPerNode} vessels on ${client.node}, got ${vessels.length}`;
  throw new TaskError('TASK_FAILED', message);
}

async function ruleOf({ store }: Work, client: Talk): Promise<Rule> {
  const { slice } = await store.policies.current();
  const { restrictions } = await client.call('GetOffcutResources', {});
  return { slice: sliceOf(slice), offcut: parseRestrictions(restrictions, 'the offcut') };
}

function describe(
  vessel: VesselInfo,
  donor: string,
  { restrictions, whole }: { restrictions: Restrictions; whole: boolean },
): FoundVessel {
  const { messport, connport } = restrictions;
  return {
    name: vessel.name,
    owner: vessel.owner,
    donor,
    restrictions: formatRestrictions(restrictions),
    ports: [...messport].filter((port) => connport.has(port)),
    clean: vessel.state === 'Fresh' && vessel.users.length === 0,
    whole,
  };
}
