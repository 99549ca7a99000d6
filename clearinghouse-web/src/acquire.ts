import { randomUUID } from 'node:crypto';
import type { KeyId } from '@potluck/protocol';
import { PortalError } from './errors.ts';
import { QUEUE } from './limits.ts';
import type { Queue } from './queue.ts';
import type { Account } from './store/accounts.ts';
import type { Holding } from './store/holdings.ts';
import type { Attempt, Reservation } from './store/leases.ts';
import type { Store } from './store/store.ts';

/** First choice, and replacements for nodes that failed. */
const WAVES = 3;

/**
 * Acquires vessels for an account, all or nothing: each is reserved, handed over on its node by the backend, and leased
 * when all are. Nodes that fail are replaced.
 * @throws PortalError NOT_ENOUGH_CREDITS, UNABLE_TO_ACQUIRE
 */
export async function acquire(store: Store, queue: Queue, account: Account, count: number): Promise<Holding[]> {
  const attempt: Attempt = { id: randomUUID(), accountId: account.id, userKey: account.key_id };
  const given: Reservation[] = [];
  try {
    await handOver({ store, queue, attempt }, count, given);
    if (!(await store.leases.confirm(attempt, count))) throw unable(count, given.length);
  } catch (error) {
    await store.leases.abandon(attempt, given);
    queue.wake();
    throw error;
  }
  const held = await store.leases.holdings(account.id);
  return held.filter((holding) => given.some(({ node, name }) => node === holding.node && name === holding.name));
}

async function handOver(
  { store, queue, attempt }: { store: Store; queue: Queue; attempt: Attempt },
  count: number,
  given: Reservation[],
): Promise<void> {
  const failed: KeyId[] = [];
  for (let wave = 0; wave < WAVES && given.length < count; wave += 1) {
    const reserved = await store.leases.reserve(attempt, count - given.length, failed).catch((error: unknown) => {
      throw failed.length > 0 ? unable(count, given.length, error) : error;
    });
    queue.wake();
    const done = await queue.done(
      reserved.map(({ task }) => task),
      QUEUE.acquireMs,
    );
    const lost = reserved.filter(({ task }) => !done.has(task));
    given.push(...reserved.filter(({ task }) => done.has(task)));
    await store.leases.abandon(attempt, lost);
    failed.push(...lost.map(({ node }) => node));
  }
  if (given.length < count) throw unable(count, given.length);
}

function unable(wanted: number, got: number, cause?: unknown): PortalError {
  return new PortalError(
    'UNABLE_TO_ACQUIRE',
    `expected ${wanted} vessels, only ${got} could be handed over and nothing else is free: all are given back`,
    { details: { wanted, got }, cause },
  );
}
