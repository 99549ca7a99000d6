import { randomUUID } from 'node:crypto';
import { type AcquireType, isMeasured, type KeyId, type Rule, ruleText, type ShortageFacts } from '@potluck/protocol';
import { PortalError } from './errors.ts';
import { QUEUE } from './limits.ts';
import type { Queue } from './queue.ts';
import { wishesOf } from './rules/facts.ts';
import { isPair } from './rules/filters.ts';
import { refusalOf } from './rules/words.ts';
import type { Account } from './store/accounts.ts';
import type { Holding } from './store/holdings.ts';
import type { Attempt, Reservation } from './store/leases.ts';
import type { Store } from './store/store.ts';

/** First choice, and replacements for nodes that failed, or that have measured that they are too far. */
const WAVES = 3;
/** Sets that are tried of vessels alike, such as those of one network: as in Seattle. */
const ALIKE = 10;

export interface Components {
  readonly store: Store;
  readonly queue: Queue;
}

export interface Wanted {
  readonly count: number;
  readonly type: AcquireType;
  /** By which they are chosen, beside the type. */
  readonly rules?: readonly Rule[];
  /** The caller's name for it: asked again under the same name, it gives what the first time gave. */
  readonly idempotencyKey?: string | undefined;
}

/** An acquisition under way. */
interface Work extends Components {
  readonly attempt: Attempt;
  /** Handed over so far. */
  readonly given: Reservation[];
  readonly failed: KeyId[];
  /** What nodes have measured that were too far from a host, in milliseconds; null where there was no connection. */
  readonly tooFar: (number | null)[];
  /** No wave begins after this; the reservations of the first still hold when one that began before has ended. */
  readonly until: number;
}

/**
 * Acquires vessels for an account, all or nothing: each is reserved, handed over on its node by the backend, and leased
 * when all are. Nodes that fail are replaced.
 * @throws PortalError NOT_ENOUGH_CREDITS, UNABLE_TO_ACQUIRE, IN_PROGRESS, KEY_REUSED
 */
export async function acquire(components: Components, account: Account, wanted: Wanted): Promise<Holding[]> {
  const { store, queue } = components;
  const { count, type, rules = [], idempotencyKey: key } = wanted;
  const wishes = wishesOf([...rulesOfType(type), ...rules]);
  const attempt = { id: randomUUID(), accountId: account.id, wishes, isNamed: key !== undefined };
  if (key === undefined) return await carryOut(components, attempt, count);
  for (;;) {
    const first = await store.acquisitions.begin({
      ...{ accountId: account.id, key, attempt: attempt.id, count, type },
      rules: rules.map(ruleText),
    });
    if (first.done) return await store.leases.holdings(account.id, first.attempt);
    if (first.attempt === attempt.id) return await carryOut(components, attempt, count);
    const ended = async (): Promise<boolean> => (await store.acquisitions.isDone(first.attempt)) !== false;
    if (await queue.until(ended, QUEUE.acquireMs)) continue;
    throw new PortalError(
      'IN_PROGRESS',
      'expected the acquisition of this idempotencyKey to end soon, it goes on: ask again',
      { details: { retryAfterSeconds: Math.max(1, Math.ceil((first.until - Date.now()) / 1000)) } },
    );
  }
}

async function carryOut({ store, queue }: Components, attempt: Attempt, count: number): Promise<Holding[]> {
  const until = Date.now() + 2 * QUEUE.acquireMs;
  const work: Work = { store, queue, attempt, until, given: [], failed: [], tooFar: [] };
  try {
    await handOver(work, count);
    if (!(await store.leases.confirm(attempt, count))) throw unable(count, work.given.length);
  } catch (error) {
    await store.leases.abandon(attempt, work.given);
    await store.acquisitions.forget(attempt.id);
    queue.wake();
    throw error;
  }
  return await store.leases.holdings(attempt.accountId, attempt.id);
}

/** For vessels that must be alike in something: when nodes fail, all are given back, and others alike are tried. */
async function handOver(work: Work, count: number): Promise<void> {
  const isAlike = (work.attempt.wishes ?? []).some((wish) => isPair(wish) && wish.not);
  for (let turn = 1; ; turn += 1) {
    try {
      return await inWaves(work, count);
    } catch (error) {
      const isWorthIt = isAlike && work.given.length > 0 && turn < ALIKE && Date.now() < work.until;
      if (!isShortage(error) || isBusy(error) || !isWorthIt) throw error;
      await work.store.leases.abandon(work.attempt, work.given.splice(0));
    }
  }
}

async function inWaves({ store, queue, ...work }: Work, count: number): Promise<void> {
  const { attempt, given, failed, tooFar } = work;
  for (let wave = 0; wave < WAVES && given.length < count && Date.now() < work.until; wave += 1) {
    const reserved = await store.leases.reserve(attempt, count - given.length, failed).catch((error: unknown) => {
      throw failed.length > 0 && isShortage(error) ? shortOf(work, count, error) : error;
    });
    queue.wake();
    const { done, unbegun } = await queue.ended(
      reserved.map(({ task }) => task),
      { timeoutMs: QUEUE.acquireMs, longestMs: Math.max(QUEUE.acquireMs, work.until - Date.now()) },
    );
    if (unbegun.size > 0) {
      const found = given.length + done.size;
      given.push(...reserved);
      throw busy(count, found);
    }
    const lost = reserved.filter(({ task }) => !done.has(task));
    given.push(...reserved.filter(({ task }) => done.has(task)));
    tooFar.push(...(await store.tasks.tooFar(lost.map(({ task }) => task))));
    await store.leases.abandon(attempt, lost);
    failed.push(...lost.map(({ node }) => node));
  }
  if (given.length < count) throw shortOf(work, count);
}

/** Nodes have said that they are too far, or have failed, and no others are left. */
function shortOf(work: Pick<Work, 'attempt' | 'given' | 'tooFar'>, wanted: number, cause?: PortalError): PortalError {
  const { attempt, given, tooFar } = work;
  const culprit = attempt.wishes?.find(isMeasured);
  if (culprit === undefined || tooFar.length === 0) return unable(wanted, given.length, cause);
  const measured = tooFar.filter((ms) => ms !== null);
  const ms = culprit.not ? Math.max(...measured) : Math.min(...measured);
  const miss = measured.length === 0 ? undefined : { ms };
  return refusalOf({ wanted, found: given.length, culprit, miss, measured: true });
}

/** A type is a rule under another name. */
const TYPES: Readonly<Record<AcquireType, readonly Rule[]>> = {
  random: [],
  wan: [{ kind: 'networks' }],
  lan: [{ kind: 'networks', not: true }],
  nat: [{ kind: 'nat' }],
};

export function rulesOfType(type: AcquireType): readonly Rule[] {
  return TYPES[type];
}

function isShortage(error: unknown): error is PortalError {
  return error instanceof PortalError && error.code === 'UNABLE_TO_ACQUIRE';
}

/** @param cause why no other could take the place of those that failed: the rule that is in the way is named. */
function unable(wanted: number, found: number, cause?: PortalError): PortalError {
  const why = cause === undefined ? 'others failed too' : `of others: ${cause.message}`;
  const short = wanted - found;
  const message = `expected ${wanted} vessels, only ${found} could be handed over: ${short} short, all are given back; ${why}`;
  const details: ShortageFacts = { unit: 'vessels', ...cause?.details, wanted, found, short };
  return new PortalError('UNABLE_TO_ACQUIRE', message, { details: { ...details }, cause });
}

/** Other nodes would wait in the same queue. */
function busy(wanted: number, found: number): PortalError {
  const message = `expected ${wanted} vessels, the clearinghouse has more to hand over than it can just now: all are given back, try again`;
  const details: ShortageFacts = { unit: 'vessels', wanted, found, short: wanted - found };
  const retryAfterSeconds = QUEUE.acquireMs / 1000;
  return new PortalError('UNABLE_TO_ACQUIRE', message, { details: { ...details, retryAfterSeconds } });
}

function isBusy({ details }: PortalError): boolean {
  return 'retryAfterSeconds' in details;
}
