import type { KeyId } from '@potluck/protocol';
import { type ColumnType, type ExpressionBuilder, sql } from 'kysely';
import { QUEUE } from '../limits.ts';
import { type Database, type Trx, transact } from './database.ts';
import type { Tables } from './schema.ts';

/** 0: somebody waits before a page. 1: what was just given back is emptied, or handed to another key. 2: all else. */
export type Urgency = 0 | 1 | 2;

/** What a kind of task is at its first try; whatever is tried again has no hurry. */
const URGENCIES: Readonly<Record<string, Urgency>> = {
  'make-donor-key': 0,
  'change-users': 0,
  'reset-vessel': 1,
  'rekey-vessel': 1,
};

export function urgencyOf(kind: string): Urgency {
  return Object.hasOwn(URGENCIES, kind) ? (URGENCIES[kind] ?? 2) : 2;
}

/** Whose turn it is: columns of `tasks`. */
export interface TurnColumns {
  urgency: ColumnType<number, number | undefined, number>;
  /** Whose share of the places it takes: a donor's account, or a network. */
  giver: ColumnType<string | null, string | null | undefined, string | null>;
  /** Of what waits for a host that an account has chosen: that account, whose share of the places it takes as well. */
  asker: ColumnType<string | null, string | null | undefined, string | null>;
}

/** How patient the backend is with a node: columns of `nodes`. */
export interface PatienceColumns {
  /** How often in a row it kept the backend waiting. */
  misses: ColumnType<number, number | undefined, number>;
  /** Until then nobody is given anything on it, and it is asked for nothing that has time. */
  rests_until: ColumnType<number, number | undefined, number>;
  /** Looks at it that its dialling has brought about are paid for until then, one each `QUEUE.inspectLeastMs`. */
  looks_until: ColumnType<number, number | undefined, number>;
}

/**
 * Tasks of an urgency that are due, whose subject nobody works on, and whose node and donor have not their share of the
 * work already. Nodes that nobody knows yet, or that kept the backend waiting lately, share a few places, so that however
 * many there are of them they hold up each other and nobody else. The same is true of what waits for a host of a user's.
 */
export function dueTasks(db: Database, urgency: Urgency, now: number) {
  return db
    .selectFrom('tasks as t')
    .leftJoin('nodes as at', 'at.id', 't.node_id')
    .select('t.id')
    .where('t.state', '=', sql.lit('waiting'))
    .where('t.urgency', '=', sql.lit(urgency))
    .where('t.run_at', '<=', now)
    .where((eb) => eb.not(eb.exists(claimed(eb).where('c.subject', '=', sql.ref<string>('t.subject')).select('c.id'))))
    .where((eb) => {
      const atNode = countOf(claimed(eb).where('c.node_id', '=', sql.ref<KeyId>('t.node_id')));
      return eb.or([eb('t.node_id', 'is', null), eb(atNode, '<', QUEUE.perNode)]);
    })
    .where((eb) => {
      const doubted = claimed(eb)
        .innerJoin('nodes as n', 'n.id', 'c.node_id')
        .where((is) => is.not(trusted('n', now)));
      return eb.or([eb('at.id', 'is', null), trusted('at', now), eb(countOf(doubted), '<', QUEUE.doubted)]);
    })
    .where(mayMeasure)
    .$if(urgency > 0, (query) =>
      query.where((eb) => {
        const ofGiver = countOf(claimed(eb).where('c.giver', '=', sql.ref<string>('t.giver')));
        return eb.or([eb('t.giver', 'is', null), eb(ofGiver, '<', QUEUE.perGiver)]);
      }),
    )
    .$if(urgency === 2, (query) =>
      query.where((eb) => eb.or([eb('at.id', 'is', null), eb('at.rests_until', '<=', now)])),
    );
}

/** How long it takes, the host decides. */
function mayMeasure(eb: ExpressionBuilder<Tables & { t: Tables['tasks'] }, 't'>) {
  const measuring = claimed(eb).where('c.asker', 'is not', null);
  const ofAsker = measuring.where('c.asker', '=', sql.ref<string>('t.asker'));
  const hasPlace = [eb(countOf(measuring), '<', QUEUE.measuring), eb(countOf(ofAsker), '<', QUEUE.perAsker)];
  return eb.or([eb('t.asker', 'is', null), eb.and(hasPlace)]);
}

function claimed(eb: Pick<ExpressionBuilder<Tables, never>, 'selectFrom'>) {
  return eb.selectFrom('tasks as c').where('c.state', '=', sql.lit('claimed'));
}

function countOf(query: ReturnType<typeof claimed>) {
  return query.select((eb) => eb.fn.countAll<number>().as('n'));
}

/** It has been looked at and was good, and it has kept nobody waiting lately. */
function trusted(table: 'at' | 'n', now: number) {
  const [life, rests] = [sql.ref(`${table}.life`), sql.ref(`${table}.rests_until`)];
  return sql<boolean>`(coalesce(${life}, '') in ('splitting', 'offered') and ${rests} <= ${now - QUEUE.doubtMs})`;
}

/**
 * Whether a task was never tried, and not because of its node: how long such ones have been due tells whether the backend
 * keeps up. One whose node rests, or has lately and is given few places, waits for that. For `tasks` with its node as `at`.
 */
export function isUntried(now: number) {
  const [attempts, rests] = [sql.ref('tasks.attempts'), sql.ref('at.rests_until')];
  return sql<boolean>`(${attempts} = 0 and coalesce(${rests}, 0) <= ${now - QUEUE.doubtMs})`;
}

/** A node that is connected has kept the backend waiting: it rests, longer each time. */
export async function missed(db: Database, node: KeyId, now = Date.now()): Promise<void> {
  await transact(db, async (trx) => {
    const row = await trx
      .selectFrom('nodes')
      .select(['misses', 'rests_until'])
      .where('id', '=', node)
      .where('connected', '=', 1)
      .executeTakeFirst();
    if (row === undefined || row.rests_until > now) return; // Several tasks of one time are one miss.
    const misses = row.rests_until > now - QUEUE.doubtMs ? row.misses + 1 : 1;
    const restMs = Math.min(QUEUE.restFirstMs * 2 ** Math.min(misses - 1, 20), QUEUE.restLongestMs);
    await trx
      .updateTable('nodes')
      .set({ misses, rests_until: now + restMs })
      .where('id', '=', node)
      .execute();
  });
}

/** The node is asked again as from now; it stays one that was slow lately. */
export async function endRest(trx: Trx, node: KeyId, now: number): Promise<void> {
  const resting = trx.updateTable('nodes').set({ rests_until: now }).where('id', '=', node);
  await resting.where('rests_until', '>', now).execute();
}

/** A node wants to be looked at, as it does by dialling: at once for the first few times. @returns when it will be. */
export async function lookAt(trx: Trx, node: KeyId, now: number): Promise<number> {
  const { inspectLeastMs: eachMs, inspectBurst: burst } = QUEUE;
  const row = await trx.selectFrom('nodes').select('looks_until').where('id', '=', node).executeTakeFirst();
  const until = row?.looks_until ?? 0;
  const paid = Math.min(Math.max(now, until) + eachMs, now + burst * eachMs);
  await trx.updateTable('nodes').set({ looks_until: paid }).where('id', '=', node).execute();
  return Math.max(now, until - (burst - 1) * eachMs);
}
