import type { AcquireType, KeyId } from '@potluck/protocol';
import { sql } from 'kysely';
import { PortalError } from '../errors.ts';
import { POLICY, QUEUE } from '../limits.ts';
import { keepAcquisition } from './acquisitions.ts';
import { type Candidate, chooseOf, freeVessels, type Taken, userPortOf } from './candidates.ts';
import { type Database, type Trx, transact } from './database.ts';
import { checkPermitted } from './emergency.ts';
import { RELEASED } from './ending.ts';
import { type Credits, creditsOf, type Holding, holdingsOf, type VesselRef } from './holdings.ts';
import { networkOfNode } from './networks.ts';
import { reachOf } from './nodes.ts';
import type { Tasks } from './tasks.ts';

/** A vessel that an acquisition has reserved, and the task that gives it to the user. */
export interface Reservation extends VesselRef {
  readonly task: number;
}

export interface Attempt {
  /** Names the acquisition. */
  readonly id: string;
  readonly accountId: string;
  readonly userKey: KeyId;
  /** Which vessels will do; any unless given. */
  readonly type?: AcquireType;
}

/** Whom not to ask: they have just failed. */
export interface Without {
  readonly nodes?: readonly KeyId[];
  readonly networks?: readonly string[];
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

  /**
   * Reserves vessels and queues the handing over of each.
   * @throws PortalError NOT_ENOUGH_CREDITS, UNABLE_TO_ACQUIRE: then nothing was reserved.
   */
  async reserve(attempt: Attempt, count: number, without: Without = {}): Promise<Reservation[]> {
    return await transact(this.#db, async (trx) => {
      await checkPermitted(trx, attempt.accountId);
      await checkCredits(trx, attempt.accountId, count);
      const port = await userPortOf(trx, attempt.accountId);
      const free = await freeVessels(trx, port, without.nodes ?? []);
      const candidates = free.filter(({ network }) => !without.networks?.includes(network));
      const taken = await takenBy(trx, attempt);
      const { type = 'random' } = attempt;
      const chosen = chooseOf(type, { candidates, taken }, count);
      if (chosen.length < count) throw tooFew(type, count, chosen.length);
      const reservations: Reservation[] = [];
      for (const candidate of chosen) reservations.push(await this.#reserveOne(trx, attempt, candidate));
      return reservations;
    });
  }

  /** Turns an acquisition's reservations into leases, all of them or none. @returns whether it did. */
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
      await trx
        .updateTable('vessels')
        .set({ state: 'leased', expires_at: Date.now() + POLICY.firstLeaseMs })
        .where('account_id', '=', attempt.accountId)
        .where('attempt', '=', attempt.id)
        .execute();
      await keepAcquisition(trx, attempt.id);
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
      for (const { node, name } of reservations) {
        const freed = await trx
          .updateTable('vessels')
          .set(RELEASED)
          .where('node_id', '=', node)
          .where('name', '=', name)
          .where('attempt', '=', attempt.id)
          .where('state', '=', sql.lit('reserved'))
          .returning('fence')
          .executeTakeFirst();
        if (freed !== undefined) await this.#clean(trx, { node, name }, freed.fence);
      }
    });
  }

  /**
   * Sets the expiry of all these leases to 7 days from now, or of none.
   * @throws PortalError NO_SUCH_VESSEL, NOT_ENOUGH_CREDITS (a donation went away, and more is held than allowed)
   */
  async renew(accountId: string, refs: readonly VesselRef[]): Promise<void> {
    await transact(this.#db, async (trx) => {
      await checkCredits(trx, accountId, 0);
      for (const ref of refs) {
        const renewed = await ofHolder(trx, accountId, ref)
          .set({ expires_at: Date.now() + POLICY.renewalMs })
          .executeTakeFirst();
        if (renewed.numUpdatedRows === 0n) throw notHeld(ref);
      }
    });
  }

  /** Ends these leases, all or none; the vessels are cleaned before anybody else gets them. @throws PortalError NO_SUCH_VESSEL */
  async release(accountId: string, refs: readonly VesselRef[]): Promise<void> {
    await transact(this.#db, async (trx) => {
      for (const ref of refs) {
        const freed = await ofHolder(trx, accountId, ref).set(RELEASED).returning('fence').executeTakeFirst();
        if (freed === undefined) throw notHeld(ref);
        await this.#clean(trx, ref, freed.fence);
      }
    });
  }

  /** Ends what has run out, leases and forgotten reservations alike. @returns how many. */
  async expire(now = Date.now()): Promise<number> {
    const due = this.#db.selectFrom('vessels').select('node_id').where('expires_at', '<=', now).limit(1);
    if ((await due.executeTakeFirst()) === undefined) return 0; // Looking takes no write lock.
    return await transact(this.#db, async (trx) => {
      const freed = await trx
        .updateTable('vessels')
        .set(RELEASED)
        .where('expires_at', '<=', now)
        .returning(['node_id as node', 'name', 'fence'])
        .execute();
      for (const { node, name, fence } of freed) await this.#clean(trx, { node, name }, fence);
      return freed.length;
    });
  }

  /** Queues the emptying of a vessel that is in state `cleaning` under this fence. */
  async #clean(trx: Trx, { node, name }: VesselRef, fence: number): Promise<void> {
    await this.#tasks.add(trx, {
      kind: 'reset-vessel',
      subject: `vessel:${node}:${name}`,
      node,
      payload: { node, vessel: name, fence },
    });
  }

  async #reserveOne(trx: Trx, attempt: Attempt, { node, name }: Candidate): Promise<Reservation> {
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
    const task = await this.#tasks.add(trx, {
      kind: 'change-users',
      subject: `vessel:${node}:${name}`,
      node,
      payload: { node, vessel: name, fence },
    });
    return { node, name, task };
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

async function takenBy(trx: Trx, { accountId, id }: Attempt): Promise<Taken> {
  const rows = await trx
    .selectFrom('vessels')
    .innerJoin('nodes', 'nodes.id', 'vessels.node_id')
    .select(['vessels.node_id', 'vessels.attempt', 'nodes.reach'])
    .where('vessels.account_id', '=', accountId)
    .execute();
  const own = rows.filter(({ attempt }) => attempt === id);
  return {
    nodes: rows.map(({ node_id }) => node_id),
    networks: own.map((row) => networkOfNode(row.node_id, reachOf(row))),
  };
}

const WHICH: Record<AcquireType, string> = {
  random: '',
  wan: ' in as many different networks',
  lan: ' in one network',
  nat: ' behind a relay',
};

function tooFew(type: AcquireType, wanted: number, free: number): PortalError {
  return new PortalError(
    'UNABLE_TO_ACQUIRE',
    `expected ${wanted} free ${wanted === 1 ? 'vessel' : 'vessels'}${WHICH[type]}, got ${free}: try fewer, or later`,
    { details: { wanted, free, type } },
  );
}

async function checkCredits(trx: Trx, accountId: string, wanted: number): Promise<void> {
  const { total, used } = await creditsOf(trx, accountId);
  if (used + wanted <= total) return;
  throw new PortalError(
    'NOT_ENOUGH_CREDITS',
    wanted === 0
      ? `expected at most ${total} vessels in use, got ${used}: release some, or bring a donation back`
      : `expected at most ${Math.max(0, total - used)} more vessels with ${total} credits, got ${wanted}: each active donation adds ${POLICY.creditsPerDonation}`,
    { details: { total, used, wanted } },
  );
}

function notHeld({ node, name }: VesselRef): PortalError {
  return new PortalError('NO_SUCH_VESSEL', `expected a vessel that you hold, got ${node}:${name}`);
}
