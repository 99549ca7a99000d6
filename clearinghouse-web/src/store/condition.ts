import { type ExpressionBuilder, sql } from 'kysely';
import { type Census, takeCensus } from './census.ts';
import type { Database } from './database.ts';
import { isUntried } from './due.ts';
import type { LeaseState, NodeLife, Tables, TaskState } from './schema.ts';

const DAY_MS = 24 * 3_600_000;

/** How the clearinghouse is, in numbers that an operator looks at first. */
export interface Health {
  /** Donated nodes by their life; of those that are offered also how many are away, and how many are drained. */
  readonly nodes: Readonly<Record<NodeLife, number>>;
  readonly away: number;
  readonly draining: number;
  readonly vessels: Readonly<Record<LeaseState, number>>;
  readonly queue: {
    readonly waiting: number;
    /** How long the oldest task that is due has been waiting; 0 when none is. */
    readonly oldestMs: number;
    /** Tasks that were tried and wait to be tried again. */
    readonly retried: number;
    /** Of the last day. */
    readonly failed: number;
  };
}

/** A task that failed, or that is being tried again and again. */
export interface Trouble {
  readonly id: number;
  readonly kind: string;
  readonly subject: string;
  readonly state: TaskState;
  readonly attempts: number;
  readonly error: string | null;
  /** The code of that error; null for what an older version wrote. */
  readonly cause: string | null;
  readonly at: number;
}

interface Group {
  readonly kind: string;
  readonly cause: string | null;
  readonly n: number;
}

/** Tasks that do not come to their end, or came to a bad one. */
export interface Stuck {
  readonly late: number;
  readonly lapsed: number;
  readonly repeated: readonly Group[];
  readonly failed: readonly Group[];
}

function groupsOf(rows: readonly { kind: string; cause: string | null; n: number | string }[]): Group[] {
  return rows.map((row) => ({ ...row, n: Number(row.n) })).toSorted((a, b) => b.n - a.n);
}

/** What an operator looks at first. */
export class Condition {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async health(now = Date.now()): Promise<Health> {
    const nodes = await this.#db
      .selectFrom('nodes')
      .select((eb) => ['life', 'connected', 'draining', eb.fn.countAll<number>().as('n')])
      .where('life', 'is not', null)
      .groupBy(['life', 'connected', 'draining'])
      .execute();
    const vessels = await this.#db
      .selectFrom('vessels')
      .select((eb) => ['state', eb.fn.countAll<number>().as('n')])
      .groupBy('state')
      .execute();
    const sum = <T>(rows: readonly (T & { n: number })[], of: (row: T) => boolean): number =>
      rows.filter(of).reduce((total, { n }) => total + Number(n), 0);
    const lives = ['accepting', 'splitting', 'offered', 'broken', 'gone'] as const;
    const states = ['free', 'reserved', 'leased', 'cleaning'] as const;
    return {
      nodes: Object.fromEntries(lives.map((life) => [life, sum(nodes, (row) => row.life === life)])) as Health['nodes'],
      away: sum(nodes, ({ life, connected }) => life === 'offered' && connected === 0),
      draining: sum(nodes, ({ draining }) => draining === 1),
      vessels: Object.fromEntries(
        states.map((state) => [state, sum(vessels, (row) => row.state === state)]),
      ) as Health['vessels'],
      queue: await this.#queue(now),
    };
  }

  /**
   * What does not come to its end. `late`: due for so long and untried, see `isUntried`; `lapsed`: claimed and never given back;
   * `repeated`: tried so often though its node is there; `failed` within a day.
   */
  async stuck({ lateMs, attempts }: { lateMs: number; attempts: number }, now = Date.now()): Promise<Stuck> {
    const tasks = this.#db.selectFrom('tasks');
    const waiting = tasks.where('state', '=', sql.lit('waiting'));
    const counted = { eb: (eb: ExpressionBuilder<Tables, 'tasks'>) => eb.fn.countAll<number>().as('n') };
    const late = await waiting
      .leftJoin('nodes as at', 'at.id', 'tasks.node_id')
      .select((eb) => eb.fn.countAll<number>().as('n'))
      .where('run_at', '<', now - lateMs)
      .where(isUntried(now))
      .executeTakeFirstOrThrow();
    const lapsed = await tasks
      .select(counted.eb)
      .where('state', '=', sql.lit('claimed'))
      .where('claimed_until', '<', now - lateMs)
      .executeTakeFirstOrThrow();
    const repeated = await waiting
      .select((eb) => ['kind', 'cause', counted.eb(eb)])
      .where('attempts', '>=', attempts)
      .where(({ eb, or, selectFrom }) =>
        or([
          eb('node_id', 'is', null),
          eb('node_id', 'in', selectFrom('nodes').select('nodes.id').where('connected', '=', 1)),
        ]),
      )
      .groupBy(['kind', 'cause'])
      .execute();
    const failed = await tasks
      .select((eb) => ['kind', 'cause', counted.eb(eb)])
      .where('state', '=', 'failed')
      .where('ended_at', '>', now - DAY_MS)
      .groupBy(['kind', 'cause'])
      .execute();
    return { late: Number(late.n), lapsed: Number(lapsed.n), repeated: groupsOf(repeated), failed: groupsOf(failed) };
  }

  /** For instruments: see `takeCensus`. */
  async census(): Promise<Census> {
    return await takeCensus(this.#db);
  }

  /** Tasks that failed in the last day or are being tried again, the newest first. */
  async troubles(limit: number): Promise<Trouble[]> {
    const rows = await this.#db
      .selectFrom('tasks')
      .select(['id', 'kind', 'subject', 'state', 'attempts', 'error', 'cause', 'created_at', 'ended_at'])
      .where('error', 'is not', null)
      .where('state', 'in', ['waiting', 'claimed', 'failed'])
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ created_at, ended_at, ...row }) => ({ ...row, id: Number(row.id), at: ended_at ?? created_at }));
  }

  async #queue(now: number): Promise<Health['queue']> {
    const count = (eb: ExpressionBuilder<Tables, 'tasks'>) => eb.fn.countAll<number>();
    const waiting = this.#db.selectFrom('tasks').where('state', '=', sql.lit('waiting'));
    const all = await waiting.select((eb) => count(eb).as('n')).executeTakeFirstOrThrow();
    const retried = await waiting
      .select((eb) => count(eb).as('n'))
      .where('attempts', '>', 0)
      .executeTakeFirstOrThrow();
    const due = await waiting.select('run_at').where('run_at', '<=', now).orderBy('run_at').limit(1).executeTakeFirst();
    const failed = await this.#db
      .selectFrom('tasks')
      .select((eb) => count(eb).as('n'))
      .where('ended_at', '>', now - DAY_MS)
      .where('state', '=', 'failed')
      .executeTakeFirstOrThrow();
    const oldestMs = due === undefined ? 0 : now - due.run_at;
    return { waiting: Number(all.n), oldestMs, retried: Number(retried.n), failed: Number(failed.n) };
  }
}
