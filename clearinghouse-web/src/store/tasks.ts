import { randomBytes } from 'node:crypto';
import type { KeyId } from '@potluck/protocol';
import { type Selectable, sql } from 'kysely';
import { QUEUE } from '../limits.ts';
import { type Database, type Trx, transact } from './database.ts';
import { dueTasks, missed, type Urgency, urgencyOf } from './due.ts';
import { isPostgres, isTaken } from './postgres.ts';
import type { TaskState, TasksTable } from './schema.ts';

export interface NewTask {
  readonly kind: string;
  readonly subject: string;
  readonly node?: KeyId;
  readonly payload: object;
  /** Whose share of the places it takes if its node has no donor yet. */
  readonly giver?: string | undefined;
  /** The account that has its node measure first. */
  readonly asker?: string | undefined;
}

/** A task that is claimed; `token` proves it until `claimed_until`. */
export type Claim = Selectable<TasksTable> & { token: string };

/** Why a task did not succeed: a sentence for people, and the code of the error. */
export interface Failure {
  readonly error: string;
  readonly cause: string;
  /** How far the node says that it is from the host that it was to be near. */
  readonly measured_ms?: number | null;
}

/** The queue by which the site asks the backend; every decision is one statement or one transaction. */
export class Tasks {
  readonly #db: Database;
  readonly #backend: string;

  /** @param backend the name of the one who claims, the same after it was started again. */
  constructor(db: Database, backend: string = randomBytes(8).toString('hex')) {
    this.#db = db;
    this.#backend = backend;
  }

  /** Writes a task in the transaction that needs it done; wake the backend after the commit. @returns its number. */
  async add(trx: Trx, task: NewTask, runAt = Date.now()): Promise<number> {
    const row = await trx
      .insertInto('tasks')
      .values((eb) => {
        const donor = eb
          .selectFrom('donations')
          .select('account_id')
          .where('node_id', '=', task.node ?? null);
        return {
          kind: task.kind,
          subject: task.subject,
          node_id: task.node ?? null,
          payload: JSON.stringify(task.payload),
          state: 'waiting',
          urgency: urgencyOf(task.kind),
          giver: task.node === undefined ? null : eb.fn.coalesce(donor, eb.val(task.giver ?? null)),
          asker: task.asker ?? null,
          run_at: runAt,
          created_at: Date.now(),
        };
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return row.id;
  }

  /** As `add`, unless the same kind of task on the same subject waits already: then that is due by then. */
  async addOnce(trx: Trx, task: NewTask, runAt = Date.now()): Promise<void> {
    const waiting = await trx
      .updateTable('tasks')
      .set((eb) => ({ run_at: eb.case().when('run_at', '<', runAt).then(eb.ref('run_at')).else(runAt).end() }))
      .where('state', '=', sql.lit('waiting'))
      .where('subject', '=', task.subject)
      .where('kind', '=', task.kind)
      .executeTakeFirst();
    if (waiting.numUpdatedRows === 0n) await this.add(trx, task, runAt);
  }

  /**
   * Takes the most urgent task that is due and whose turn it is, and of several the oldest: see `dueTasks`.
   * @param least takes none that is less urgent.
   */
  async claim(least: Urgency = 2): Promise<Claim | undefined> {
    for (const urgency of [0, 1, 2] as const) {
      const claim = urgency <= least ? await this.#claimOf(urgency) : undefined;
      if (claim !== undefined) return claim;
    }
    return undefined;
  }

  async #claimOf(urgency: Urgency): Promise<Claim | undefined> {
    for (;;) {
      try {
        const claim = await this.#claimOne(urgency);
        if (claim !== 'lost') return claim;
      } catch (error) {
        // Another backend has just claimed another task on this subject: now that can be seen.
        if (!isTaken(error)) throw error;
      }
    }
  }

  /** @returns `lost` when the task that was found was dropped before it was claimed. */
  async #claimOne(urgency: Urgency): Promise<Claim | 'lost' | undefined> {
    const now = Date.now();
    const token = `${this.#backend}.${randomBytes(16).toString('base64url')}`;
    const due = dueTasks(this.#db, urgency, now).orderBy('t.run_at').orderBy('t.id').limit(1);
    // Several backends each take another one, and none waits for the other. SQLite has one backend and one write lock:
    // there looking, which may take long, does not hold up whoever writes.
    const found = isPostgres(this.#db) ? due.forUpdate('t').skipLocked() : (await due.executeTakeFirst())?.id;
    if (found === undefined) return undefined;
    const row = await this.#db
      .updateTable('tasks')
      .set((eb) => ({
        state: 'claimed' as const,
        token,
        claimed_until: now + QUEUE.claimMs,
        attempts: eb('attempts', '+', 1),
      }))
      .where('id', '=', found)
      .where('state', '=', sql.lit('waiting'))
      .returningAll()
      .executeTakeFirst();
    if (row !== undefined) return { ...row, token };
    return typeof found === 'number' ? 'lost' : undefined;
  }

  /** @returns when the next task is due, if any waits. */
  async nextDue(): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('tasks')
      .select('run_at')
      .where('state', '=', sql.lit('waiting'))
      .orderBy('run_at')
      .limit(1)
      .executeTakeFirst();
    return row?.run_at;
  }

  /**
   * Writes the end of a claimed task together with its effect, or neither.
   * @returns false if the claim was lost in the meantime: then nothing was written.
   */
  async finish(claim: Claim, effect: (trx: Trx) => Promise<void>): Promise<boolean> {
    return await this.#end(claim, { state: 'done', error: null, cause: null }, effect);
  }

  /** As `finish`, for a task that will never succeed. */
  async fail(claim: Claim, failure: Failure, effect: (trx: Trx) => Promise<void>): Promise<boolean> {
    return await this.#end(claim, { state: 'failed', ...failure }, effect);
  }

  /** Gives a claimed task back, which has no hurry any more; it will be due at `runAt`. */
  async retry(claim: Claim, failure: Failure, runAt: number): Promise<void> {
    await this.#db
      .updateTable('tasks')
      .set({ state: 'waiting', token: null, claimed_until: null, ...failure, run_at: runAt, urgency: 2 })
      .where('id', '=', claim.id)
      .where('token', '=', claim.token)
      .execute();
  }

  /** Gives back the claims that have run out, whoever had them. */
  async reclaim(now: number): Promise<void> {
    await this.#giveBack().where('claimed_until', '<=', now).execute();
  }

  /** Gives back what this backend claimed in an earlier life; other backends' claims stay theirs. */
  async resume(): Promise<void> {
    await this.#giveBack().where('token', 'like', `${this.#backend}.%`).execute();
  }

  #giveBack() {
    return this.#db
      .updateTable('tasks')
      .set({ state: 'waiting', token: null, claimed_until: null })
      .where('state', '=', sql.lit('claimed'));
  }

  /** The node of a claimed task has kept us waiting. */
  async missed({ node_id: node }: Claim): Promise<void> {
    if (node !== null) await missed(this.#db, node);
  }

  /** A node is back: what waits for it is due now, but a look at it, see `lookAt`. @returns whether anything waits. */
  async wakeNode(trx: Trx, node: KeyId): Promise<boolean> {
    const woken = await trx
      .updateTable('tasks')
      .set({ run_at: Date.now() })
      .where('state', '=', sql.lit('waiting'))
      .where('node_id', '=', node)
      .where('kind', '!=', 'inspect-node')
      .executeTakeFirst();
    return woken.numUpdatedRows > 0n;
  }

  async states(ids: readonly number[]): Promise<Map<number, TaskState>> {
    const rows = await this.#db.selectFrom('tasks').select(['id', 'state']).where('id', 'in', ids).execute();
    return new Map(rows.map(({ id, state }) => [id, state]));
  }

  /** Of those whose node is too far from a host, what it has measured, in milliseconds; null where it came to none. */
  async tooFar(ids: readonly number[]): Promise<(number | null)[]> {
    if (ids.length === 0) return [];
    const which = this.#db.selectFrom('tasks').where('id', 'in', ids).where('cause', '=', 'TOO_FAR');
    return (await which.select('measured_ms').execute()).map(({ measured_ms: ms }) => ms);
  }

  /** Drops tasks that nobody has begun. */
  async cancel(trx: Trx, ids: readonly number[]): Promise<void> {
    await trx.deleteFrom('tasks').where('id', 'in', ids).where('state', '=', 'waiting').execute();
  }

  async prune(now = Date.now()): Promise<void> {
    await this.#db
      .deleteFrom('tasks')
      .where('ended_at', '<', now - QUEUE.keepMs)
      .execute();
  }

  async #end(
    claim: Claim,
    end: { state: 'done' | 'failed'; error: string | null; cause: string | null; measured_ms?: number | null },
    effect: (trx: Trx) => Promise<void>,
  ): Promise<boolean> {
    return await transact(this.#db, async (trx) => {
      const ended = await trx
        .updateTable('tasks')
        .set({ ...end, token: null, claimed_until: null, ended_at: Date.now() })
        .where('id', '=', claim.id)
        .where('token', '=', claim.token)
        .executeTakeFirst();
      if (ended.numUpdatedRows === 0n) return false;
      await effect(trx);
      return true;
    });
  }
}
