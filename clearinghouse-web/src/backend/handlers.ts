import { type GatewayAddress, type KeyId, NodeClient, PeerError, RequestError } from '@potluck/protocol';
import { TaskError } from '../errors.ts';
import { QUEUE } from '../limits.ts';
import type { Trx } from '../store/database.ts';
import { permitsFrom } from '../store/networks.ts';
import type { Store } from '../store/store.ts';
import type { DonorKeys } from './keys.ts';
import type { Task, TaskOf } from './kinds.ts';
import { checkLatency } from './latency.ts';
import { inspectNode, splitNode } from './nodes.ts';
import { Talk, type Waited } from './talk.ts';

export interface Components {
  readonly store: Store;
  readonly keys: DonorKeys;
  /** That of the clearinghouse, as nodes are told of it. */
  readonly gateway?: GatewayAddress | undefined;
}

/** With what one task is done. */
export interface Work extends Components {
  readonly waited: Waited;
}

/** What has to be written, in the same transaction as the task's end. */
export type Effect = (trx: Trx) => Promise<void>;

export const nothing: Effect = async () => undefined;

/**
 * Does one task. Each can be done again from the beginning: what a killed backend has half done, the next does whole.
 * @throws PeerError the node is away. @throws RequestError the node refused. @throws TaskError
 */
export async function carryOut(components: Work, task: Task): Promise<Effect> {
  switch (task.kind) {
    case 'make-donor-key':
      return await makeDonorKey(components, task);
    case 'inspect-node':
      return await inspectNode(components, task);
    case 'split-node':
      return await splitNode(components, task);
    case 'change-users':
    case 'rekey-vessel':
      return await changeUsers(components, task);
    case 'reset-vessel':
      return await resetVessel(components, task);
  }
}

async function makeDonorKey({ store, keys }: Work, { account }: TaskOf<'make-donor-key'>): Promise<Effect> {
  const key = await keys.ensure(account);
  return async (trx) => await store.accounts.setDonorKey(trx, account, key);
}

/**
 * Makes the key that the holder's account has now the vessel's only user, or nobody's while everything is stopped: what
 * should be stands in the database, not in the task, so that nobody can ask for it to be handed to anybody else. Whatever
 * changes after it was read has queued a task of its own.
 */
async function changeUsers(components: Work, task: TaskOf<'change-users' | 'rekey-vessel'>): Promise<Effect> {
  const { inventory, emergency } = components.store;
  const held = await inventory.heldUnder({ node: task.node, name: task.vessel }, task.fence);
  if (held === undefined) {
    if (task.kind === 'rekey-vessel') return nothing;
    throw new TaskError('TASK_LOST', 'expected the vessel under its fence, it has moved on');
  }
  const isStopped = (await emergency.state()) !== undefined;
  await using client = await connect(components, task.node, held.owner);
  const { vessel } = task;
  if ('latency' in task && task.latency !== undefined) await checkLatency(client, vessel, task.latency);
  await client.call('ChangeUsers', { vessel, users: isStopped ? [] : [held.user] });
  if (!isStopped) return nothing;
  await client.call('StopVessel', { vessel }).catch((error: unknown) => {
    if (!(error instanceof RequestError) || error.code !== 'BAD_STATE') throw error; // It does not run.
  });
  return nothing;
}

/** Users first: otherwise one could start a program again on what was just emptied. */
async function resetVessel(components: Work, task: TaskOf<'reset-vessel'>): Promise<Effect> {
  const { inventory } = components.store;
  const ref = { node: task.node, name: task.vessel };
  const owner = await inventory.underFence(ref, task.fence);
  if (owner === undefined) return nothing;
  try {
    await using client = await connect(components, task.node, owner);
    await client.call('ChangeUsers', { vessel: task.vessel, users: [] });
    await client.call('ResetVessel', { vessel: task.vessel });
  } catch (error) {
    if (!isGone(error)) throw error;
    return async (trx) => await inventory.forget(trx, ref);
  }
  return async (trx) => await inventory.cleaned(trx, ref, task.fence);
}

function isGone(error: unknown): boolean {
  return error instanceof RequestError && (error.code === 'NO_SUCH_VESSEL' || error.code === 'NOT_PERMITTED');
}

export async function connect({ store, keys, gateway, waited }: Work, node: KeyId, owner: KeyId): Promise<Talk> {
  const known = await store.nodes.find(node);
  const identity = await keys.find(owner);
  if (identity === undefined) throw new TaskError('TASK_FAILED', `expected the private key of ${owner}, got none`);
  if (known === undefined) throw new PeerError('UNREACHABLE', `expected to know where node ${node} is, got nothing`);
  const { reach, network } = known;
  const permits = permitsFrom(network, gateway);
  const init = { reach, node, identity, permits, connectTimeoutMs: QUEUE.connectMs };
  return new Talk(await waited.on(NodeClient.connect(init)), waited);
}
