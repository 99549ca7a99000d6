import { isMeasured, type KeyId } from '@potluck/protocol';
import { type ExpressionBuilder, sql } from 'kysely';
import type { LatencyWish } from '../backend/kinds.ts';
import { PortalError } from '../errors.ts';
import { QUEUE } from '../limits.ts';
import type { NodeFacts, Wish } from '../rules/facts.ts';
import type { Candidate } from '../rules/search.ts';
import { holdName, keepName } from './acquisitions.ts';
import { record } from './audit.ts';
import { drainedOf, drainingError } from './care.ts';
import { chooseVessels } from './choice.ts';
import { type Database, type Trx, transact } from './database.ts';
import { checkPermitted } from './emergency.ts';
import { endHoldings } from './ending.ts';
import {
  type Credits,
  creditsOf,
  type Ending,
  endingOf,
  type Holding,
  holdingsOf,
  type VesselRef,
} from './holdings.ts';
import { post } from './ledger.ts';
import { policyOf } from './policy.ts';
import type { Tables } from './schema.ts';
import type { Tasks } from './tasks.ts';

/** A vessel that an acquisition has reserved, and the task that gives it to the user. */
export interface Reservation extends VesselRef {
  readonly task: number;
}

export interface Attempt {
  /** Names the acquisition. */
  readonly id: string;
  readonly accountId: string;
  /** It has its caller's name, which it must not lose meanwhile: see `acquisitions.ts`. */
  readonly isNamed?: boolean;
  /** Which vessels will do; any unless given. */
  readonly wishes?: readonly Wish[];
}

/** Who holds which vessel until when. Each method is one transaction, so that no vessel is ever held twice. */
export class Leases {
  readonly #db: Database;
  readonly #tasks: Tasks;

  constructor(db: Database, tasks: Tasks) {
    this.#db = db;
    this.#tasks = tasks;
  }

  async credits(accountId: string): Promise<Credits> {
    return await creditsOf(this.#db, accountId);
  }

  /** @param attempt only those of this acquisition. */
  async holdings(accountId: string, attempt?: string): Promise<Holding[]> {
    return await holdingsOf(this.#db, accountId, attempt);
  }

  /** @returns what the account is to be warned of; undefined for nothing. */
  async ending(accountId: string): Promise<Ending | undefined> {
    return await endingOf(this.#db, accountId);
  }

  /**
   * Reserves vessels and queues the handing over of each.
   * @throws PortalError NOT_ENOUGH_CREDITS, UNABLE_TO_ACQUIRE, IN_PROGRESS (it has lost its name): then nothing was reserved.
   */
  async reserve(attempt: Attempt, count: number, without: readonly KeyId[] = []): Promise<Reservation[]> {
    const { id, accountId, wishes = [] } = attempt;
    return await transact(this.#db, async (trx) => {
      await checkPermitted(trx, accountId);
      if (attempt.isNamed) await holdName(trx, attempt);
      await checkCredits(trx, accountId, count);
      const chosen = await chooseVessels(trx, { accountId, attempt: id, wishes, count, without });
      const reservations: Reservation[] = [];
      for (const candidate of chosen) reservations.push(await this.#reserveOne(trx, attempt, candidate));
      await post(
        trx,
        chosen.map((ref) => ({ accountId, amount: -1, why: 'acquire', subject: handleOf(ref) })),
      );
      return reservations;
    });
  }

  /** Turns an acquisition's reservations into leases, all of them or none. @returns whether it did. @throws PortalError IN_PROGRESS */
  async confirm(attempt: Attempt, count: number): Promise<boolean> {
    return await transact(this.#db, async (trx) => {
      const reserved = await trx
        .selectFrom('vessels')
        .select((eb) => eb.fn.countAll<number>().as('n'))
        .where('account_id', '=', attempt.accountId)
        .where('attempt', '=', attempt.id)
        .where('state', '=', 'reserved')
        .executeTakeFirstOrThrow();
      if (Number(reserved.n) !== count) return false;
      const { firstLeaseMs } = await policyOf(trx);
      const leased = await trx
        .updateTable('vessels')
        .set({ state: 'leased', expires_at: Date.now() + firstLeaseMs })
        .where('account_id', '=', attempt.accountId)
        .where('attempt', '=', attempt.id)
        .returning(['node_id as node', 'name'])
        .execute();
      for (const ref of leased) {
        await record(trx, { actor: attempt.accountId, action: 'vessel.acquire', subject: handleOf(ref) });
      }
      if (attempt.isNamed) await keepName(trx, attempt);
      return true;
    });
  }

  /** Gives reservations back: their tasks are dropped, and what may have been handed over is cleaned. */
  async abandon(attempt: Attempt, reservations: readonly Reservation[]): Promise<void> {
    await transact(this.#db, async (trx) => {
      if (reservations.length === 0) return;
      await this.#tasks.cancel(
        trx,
        reservations.map(({ task }) => task),
      );
      const named = (eb: ExpressionBuilder<Tables, 'vessels'>) =>
        eb.and([
          eb('attempt', '=', attempt.id),
          eb('state', '=', sql.lit('reserved')),
          eb.or(reservations.map(({ node, name }) => eb.and([eb('node_id', '=', node), eb('name', '=', name)]))),
        ]);
      await endHoldings(trx, this.#tasks, { which: named, why: 'hand-back' });
    });
  }

  /**
   * Sets the expiry of all these leases to the policy's renewal from now, or of none.
   * @throws PortalError NO_SUCH_VESSEL, DRAINING, NOT_ENOUGH_CREDITS (a donation went away, and more is held than allowed)
   */
  async renew(accountId: string, refs: readonly VesselRef[]): Promise<void> {
    await transact(this.#db, async (trx) => {
      const drained = await drainedOf(trx, refs);
      if (drained.length > 0) throw drainingError(drained);
      await extend(trx, accountId, refs);
    });
  }

  /**
   * The same for all that the account holds, but for what is on machines that are being drained.
   * @returns what was left out. @throws PortalError NOT_ENOUGH_CREDITS, DRAINING (then everything is on such machines)
   */
  async renewAll(accountId: string): Promise<VesselRef[]> {
    return await transact(this.#db, async (trx) => {
      const held = await holdingsOf(trx, accountId);
      const drained = new Set(await drainedOf(trx, held));
      const refs = held.filter((ref) => !drained.has(ref));
      if (held.length > 0 && refs.length === 0) throw drainingError(held);
      await extend(trx, accountId, refs);
      return [...drained];
    });
  }

  /** Ends these leases, all or none; the vessels are cleaned before anybody else gets them. @throws PortalError NO_SUCH_VESSEL */
  async release(accountId: string, refs: readonly VesselRef[]): Promise<void> {
    await transact(this.#db, async (trx) => {
      for (const ref of refs) {
        const { node, name } = ref;
        const [ended] = await endHoldings(trx, this.#tasks, {
          why: 'release',
          which: (eb) =>
            eb.and([
              ...[eb('node_id', '=', node), eb('name', '=', name)],
              ...[eb('account_id', '=', accountId), eb('state', '=', sql.lit('leased'))],
            ]),
        });
        if (ended === undefined) throw notHeld(ref);
        await record(trx, { actor: accountId, action: 'vessel.release', subject: handleOf(ref) });
      }
    });
  }

  /** Ends what has run out, leases and forgotten reservations alike. @returns how many. */
  async expire(now = Date.now()): Promise<number> {
    const due = this.#db.selectFrom('vessels').select('node_id').where('expires_at', '<=', now).limit(1);
    if ((await due.executeTakeFirst()) === undefined) return 0; // Looking takes no write lock.
    return await transact(this.#db, async (trx) => {
      const ended = await endHoldings(trx, this.#tasks, { why: 'expire', which: (eb) => eb('expires_at', '<=', now) });
      for (const { wasLeased, accountId, ...ref } of ended) {
        if (!wasLeased) continue;
        const details = { holder: accountId };
        await record(trx, { actor: 'site', action: 'vessel.expire', subject: handleOf(ref), details });
      }
      return ended.length;
    });
  }

  async #reserveOne(trx: Trx, attempt: Attempt, { node, name, facts }: Candidate): Promise<Reservation> {
    const { fence } = await trx
      .updateTable('vessels')
      .set((eb) => ({
        state: 'reserved' as const,
        fence: eb('fence', '+', 1),
        account_id: attempt.accountId,
        attempt: attempt.id,
        // If the site dies in the middle, the sweep takes it back by then.
        expires_at: Date.now() + 3 * QUEUE.acquireMs,
      }))
      .where('node_id', '=', node)
      .where('name', '=', name)
      .where('state', '=', sql.lit('free'))
      .returning('fence')
      .executeTakeFirstOrThrow();
    const measurement = measurementOf(attempt.wishes, facts);
    const task = await this.#tasks.add(trx, {
      kind: 'change-users',
      subject: `vessel:${node}:${name}`,
      ...{ node, asker: measurement.latency && attempt.accountId },
      payload: { node, vessel: name, fence, ...measurement },
    });
    return { node, name, task };
  }
}

/** What the node is to measure first. Of a known place it was chosen by estimate, which is enough if it cannot measure. */
function measurementOf(wishes: readonly Wish[] = [], { country }: NodeFacts): { latency?: LatencyWish } {
  const wish = wishes.find((one) => isMeasured(one));
  if (wish === undefined) return {};
  const { ms, not = false, of, at } = wish;
  return { latency: { ...of, ms, not, estimated: at !== undefined && country !== undefined } };
}

async function extend(trx: Trx, accountId: string, refs: readonly VesselRef[]): Promise<void> {
  await checkCredits(trx, accountId, 0);
  const { renewalMs } = await policyOf(trx);
  for (const ref of refs) {
    const renewed = await ofHolder(trx, accountId, ref)
      .set({ expires_at: Date.now() + renewalMs })
      .executeTakeFirst();
    if (renewed.numUpdatedRows === 0n) throw notHeld(ref);
    await record(trx, { actor: accountId, action: 'vessel.renew', subject: handleOf(ref) });
  }
}

function ofHolder(trx: Trx, accountId: string, { node, name }: VesselRef) {
  return trx
    .updateTable('vessels')
    .where('node_id', '=', node)
    .where('name', '=', name)
    .where('account_id', '=', accountId)
    .where('state', '=', sql.lit('leased'));
}

function handleOf({ node, name }: VesselRef): string {
  return `${node}:${name}`;
}

async function checkCredits(trx: Trx, accountId: string, wanted: number): Promise<void> {
  const { total, used } = await creditsOf(trx, accountId);
  if (used + wanted <= total) return;
  const { creditsPerDonation } = await policyOf(trx);
  throw new PortalError(
    'NOT_ENOUGH_CREDITS',
    wanted === 0
      ? `expected at most ${total} vessels in use, got ${used}: release some, or bring a donation back`
      : `expected at most ${Math.max(0, total - used)} more vessels with ${total} credits, got ${wanted}: each active donation adds ${creditsPerDonation}`,
    { details: { total, used, wanted } },
  );
}

function notHeld(ref: VesselRef): PortalError {
  return new PortalError('NO_SUCH_VESSEL', `expected a vessel that you hold, got ${handleOf(ref)}`);
}
