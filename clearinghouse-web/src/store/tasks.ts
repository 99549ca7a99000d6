import { randomBytes } from 'node:crypto';
import type { KeyId } from '@potluck/protocol';
import { type Selectable, sql } from 'kysely';
import { QUEUE } from '../limits.ts';
import { type Database, type Trx, transact } from './database.ts';
import { isPostgres, isTaken } from './postgres.ts';
import type { TaskState, TasksTable } from './schema.ts';

export interface NewTask {
  readonly kind: string;
  readonly subject: string;
  readonly node?: KeyId;
  readonly payload: object;
}

/** A task that is claimed; `token` proves it until `claimed_until`. */
export type Claim = Selectable<TasksTable> & { token: string };

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
  async add(trx: Trx, task: NewTask): Promise<number> {
    const now = Date.now();
    const row = await trx
      .insertInto('tasks')
      .values({
        kind: task.kind,
        subject: task.subject,
        node_id: task.node ?? null,
        payload: JSON.stringify(task.payload),
        state: 'waiting',
        run_at: now,
        created_at: now,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    return row.id;
  }

  /** As `add`, unless the same kind of task on the same subject waits already. */
  async addOnce(trx: Trx, task: NewTask): Promise<void> {
    const waiting = await trx
      .updateTable('tasks')
      .set({ run_at: Date.now() })
      .where('state', '=', sql.lit('waiting'))
      .where('subject', '=', task.subject)
      .where('kind', '=', task.kind)
      .executeTakeFirst();
    if (waiting.numUpdatedRows === 0n) await this.add(trx, task);
  }

  /**
   * Takes the oldest task that is due, whose subject nobody works on, and whose node has not its share of work already.
   * @param kinds only these.
   */
  async claim(kinds?: readonly string[]): Promise<Claim | undefined> {
    for (;;) {
      try {
        return await this.#claimOne(kinds);
      } catch (error) {
        // Another backend has just claimed another task on this subject: now that can be seen.
        if (!isTaken(error)) throw error;
      }
    }
  }

  async #claimOne(kinds?: readonly string[]): Promise<Claim | undefined> {
    const now = Date.now();
    const token = `${this.#backend}.${randomBytes(16).toString('base64url')}`;
    const row = await this.#db
      .updateTable('tasks')
      .set((eb) => ({
        state: 'claimed' as const,
        token,
        claimed_until: now + QUEUE.claimMs,
        attempts: eb('attempts', '+', 1),
      }))
      .where('id', '=', () =>
        dueTasks(this.#db, now)
          .$if(kinds !== undefined, (query) => query.where('t.kind', 'in', kinds ?? []))
          .orderBy('t.run_at')
          .orderBy('t.id')
          .limit(1)
          // Several backends each take another one, and none waits for the other.
          .$if(isPostgres(this.#db), (query) => query.forUpdate('t').skipLocked()),
      )
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? undefined : { ...row, token };
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
    return await this.#end(claim, { state: 'done', error: null }, effect);
  }

  /** As `finish`, for a task that will never succeed. */
  async fail(claim: Claim, error: string, effect: (trx: Trx) => Promise<void>): Promise<boolean> {
    return await this.#end(claim, { state: 'failed', error }, effect);
  }

  /** Gives a claimed task back; it will be due at `runAt`. */
  async retry(claim: Claim, error: string, runAt: number): Promise<void> {
    await this.#db
      .updateTable('tasks')
      .set({ state: 'waiting', token: null, claimed_until: null, error, run_at: runAt })
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

  /** A node is back: what waits for it is due now. @returns whether anything waits. */
  async wakeNode(trx: Trx, node: KeyId): Promise<boolean> {
    const woken = await trx
      .updateTable('tasks')
      .set({ run_at: Date.now() })
      .where('state', '=', sql.lit('waiting'))
      .where('node_id', '=', node)
      .executeTakeFirst();
    return woken.numUpdatedRows > 0n;
  }

  async states(ids: readonly number[]): Promise<Map<number, TaskState>> {
    const rows = await this.#db.selectFrom('tasks').select(['id', 'state']).where('id', 'in', ids).execute();
    return new Map(rows.map(({ id, state }) => [id, state]));
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
    end: { state: 'done' | 'failed'; error: string | null },
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

/** Those that are due, whose subject nobody works on, and whose node has not its share of work already. */
function dueTasks(db: Database, now: number) {
  return db
    .selectFrom('tasks as t')
    .select('t.id')
    .where('t.state', '=', sql.lit('waiting'))
    .where('t.run_at', '<=', now)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('tasks as c')
            .select('c.id')
            .where('c.state', '=', sql.lit('claimed'))
            .whereRef('c.subject', '=', 't.subject'),
        ),
      ),
    )
    .where(({ eb: is, or, selectFrom }) => {
      const busy = selectFrom('tasks as n')
        .select((count) => count.fn.countAll<number>().as('n'))
        .where('n.state', '=', sql.lit('claimed'))
        .whereRef('n.node_id', '=', 't.node_id');
      return or([is('t.node_id', 'is', null), is(busy, '<', QUEUE.perNode)]);
    });
}
