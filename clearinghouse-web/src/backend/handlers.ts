import {
  type KeyId,
  NodeClient,
  PeerError,
  parseRestrictions,
  RequestError,
  type Result,
  type VesselInfo,
} from '@potluck/protocol';
import { TaskError } from '../errors.ts';
import { LIMITS, QUEUE } from '../limits.ts';
import type { Trx } from '../store/database.ts';
import type { FoundVessel } from '../store/inventory.ts';
import type { Store } from '../store/store.ts';
import type { DonorKeys } from './keys.ts';
import type { Task, TaskOf } from './kinds.ts';

export interface Components {
  readonly store: Store;
  readonly keys: DonorKeys;
}

/** What has to be written, in the same transaction as the task's end. */
export type Effect = (trx: Trx) => Promise<void>;

const nothing: Effect = async () => undefined;

/**
 * Does one task. Each can be done again from the beginning: what a killed backend has half done, the next does whole.
 * @throws PeerError the node is away. @throws RequestError the node refused. @throws TaskError
 */
export async function carryOut(components: Components, task: Task): Promise<Effect> {
  switch (task.kind) {
    case 'make-donor-key':
      return await makeDonorKey(components, task);
    case 'inspect-node':
      return await inspectNode(components, task);
    case 'change-users':
    case 'rekey-vessel':
      return await changeUsers(components, task);
    case 'reset-vessel':
      return await resetVessel(components, task);
  }
}

async function makeDonorKey({ store, keys }: Components, { account }: TaskOf<'make-donor-key'>): Promise<Effect> {
  const key = await keys.ensure(account);
  return async (trx) => await store.accounts.setDonorKey(trx, account, key);
}

async function inspectNode(components: Components, { node }: TaskOf<'inspect-node'>): Promise<Effect> {
  const { store } = components;
  const known = await store.nodes.find(node);
  const donors = await store.accounts.donorsOf(known?.keys ?? []);
  const [anyDonor] = donors.keys();
  if (known === undefined || anyDonor === undefined) return nothing;
  await using client = await connect(components, node, anyDonor);
  const { result } = await client.call('GetVessels', {}, { timeoutMs: QUEUE.requestMs });
  if (result.vessels.length > LIMITS.vesselsPerNode) {
    const got = result.vessels.length;
    throw new TaskError('TASK_FAILED', `expected at most ${LIMITS.vesselsPerNode} vessels on ${node}, got ${got}`);
  }
  const found = await Promise.all(
    result.vessels.map(async (vessel) => {
      const donor = donors.get(vessel.owner);
      if (donor === undefined) return [];
      const resources = await client.call(
        'GetVesselResources',
        { vessel: vessel.name },
        { timeoutMs: QUEUE.requestMs },
      );
      return [describe(vessel, donor, resources.result)];
    }),
  );
  return async (trx) => await store.inventory.record(trx, node, found.flat());
}

function describe(vessel: VesselInfo, donor: string, resources: Result<'GetVesselResources'>): FoundVessel {
  const { messport, connport } = parseRestrictions(resources.restrictions, `restrictions of ${vessel.name}`);
  return {
    name: vessel.name,
    owner: vessel.owner,
    donor,
    restrictions: resources.restrictions,
    ports: [...messport].filter((port) => connport.has(port)),
    clean: vessel.state === 'Fresh' && vessel.users.length === 0,
  };
}

/**
 * Makes the key that the holder's account has now the vessel's only user: whose it is stands in the lease, not in the
 * task, so that nobody can ask for it to be handed to anybody else.
 */
async function changeUsers(components: Components, task: TaskOf<'change-users' | 'rekey-vessel'>): Promise<Effect> {
  const held = await components.store.inventory.heldUnder({ node: task.node, name: task.vessel }, task.fence);
  if (held === undefined) {
    if (task.kind === 'rekey-vessel') return nothing;
    throw new TaskError('TASK_LOST', 'expected the vessel under its fence, it has moved on');
  }
  await using client = await connect(components, task.node, held.owner);
  const users = [held.user];
  await client.call('ChangeUsers', { vessel: task.vessel, users }, { timeoutMs: QUEUE.requestMs });
  return nothing;
}

/** Users first: otherwise one could start a program again on what was just emptied. */
async function resetVessel(components: Components, task: TaskOf<'reset-vessel'>): Promise<Effect> {
  const { inventory } = components.store;
  const ref = { node: task.node, name: task.vessel };
  const owner = await inventory.underFence(ref, task.fence);
  if (owner === undefined) return nothing;
  try {
    await using client = await connect(components, task.node, owner);
    await client.call('ChangeUsers', { vessel: task.vessel, users: [] }, { timeoutMs: QUEUE.requestMs });
    await client.call('ResetVessel', { vessel: task.vessel }, { timeoutMs: QUEUE.requestMs });
  } catch (error) {
    if (!isGone(error)) throw error;
    return async (trx) => await inventory.forget(trx, ref);
  }
  return async (trx) => await inventory.cleaned(trx, ref, task.fence);
}

function isGone(error: unknown): boolean {
  return error instanceof RequestError && (error.code === 'NO_SUCH_VESSEL' || error.code === 'NOT_PERMITTED');
}

async function connect({ store, keys }: Components, node: KeyId, owner: KeyId): Promise<NodeClient> {
  const known = await store.nodes.find(node);
  const identity = await keys.find(owner);
  if (identity === undefined) throw new TaskError('TASK_FAILED', `expected the private key of ${owner}, got none`);
  if (known === undefined) throw new PeerError('UNREACHABLE', `expected to know where node ${node} is, got nothing`);
  return await NodeClient.connect({ reach: known.reach, node, identity, connectTimeoutMs: QUEUE.connectMs });
}
