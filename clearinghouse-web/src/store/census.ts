import type { Database } from './database.ts';
import { isUntried } from './due.ts';
import { isOffering } from './offers.ts';
import type { LeaseState, NodeLife, TaskState } from './schema.ts';

/** Everything that an operator's instruments count, at one look: numbers, and nothing of anybody in particular. */
export interface Census {
  readonly nodes: readonly { life: NodeLife; connected: boolean; draining: boolean; n: number }[];
  /** By their state, the life of the node that they are on, and whether that may give what is free. */
  readonly vessels: readonly { state: LeaseState; life: NodeLife; offering: boolean; n: number }[];
  /** What has not ended; `oldestMs` of those that are due and untried, see `isUntried`, 0 when none is. */
  readonly tasks: readonly { kind: string; state: 'waiting' | 'claimed'; n: number; oldestMs: number }[];
  /** What did not succeed: of the last day, or waiting to be tried again. */
  readonly failures: readonly { kind: string; state: TaskState; cause: string; n: number }[];
  /** Site processes that live, and whether everything is stopped. */
  readonly sites: number;
  readonly stopped: boolean;
}

/** Looks at whole tables: for a caller who comes a few times in a minute. */
export async function takeCensus(db: Database, now = Date.now()): Promise<Census> {
  const [{ sites }, stopped] = await Promise.all([
    db
      .selectFrom('sites')
      .select((eb) => eb.fn.countAll<number>().as('sites'))
      .where('expires_at', '>', now)
      .executeTakeFirstOrThrow(),
    db.selectFrom('switches').select('name').where('name', '=', 'emergency-stop').executeTakeFirst(),
  ]);
  return {
    nodes: await nodesOf(db),
    vessels: await vesselsOf(db, now),
    tasks: await tasksOf(db, now),
    failures: await failuresOf(db),
    sites: Number(sites),
    stopped: stopped !== undefined,
  };
}

async function nodesOf(db: Database): Promise<Census['nodes']> {
  const rows = await db
    .selectFrom('nodes')
    .select((eb) => ['life', 'connected', 'draining', eb.fn.countAll<number>().as('n')])
    .where('life', 'is not', null)
    .groupBy(['life', 'connected', 'draining'])
    .execute();
  return rows.map(({ life, connected, draining, n }) => {
    return { life: life ?? 'accepting', connected: connected === 1, draining: draining === 1, n: Number(n) };
  });
}

async function vesselsOf(db: Database, now: number): Promise<Census['vessels']> {
  const rows = await db
    .selectFrom('vessels')
    .innerJoin('nodes', 'nodes.id', 'vessels.node_id')
    .select((eb) => ['vessels.state', 'nodes.life', eb.fn.countAll<number>().as('n')])
    .select((eb) => eb.case().when(isOffering(eb, now)).then(1).else(0).end().as('offering'))
    .groupBy(['vessels.state', 'nodes.life', 'offering'])
    .execute();
  return rows.map(({ state, life, offering, n }) => {
    return { state, life: life ?? 'gone', offering: Number(offering) === 1, n: Number(n) };
  });
}

async function tasksOf(db: Database, now: number): Promise<Census['tasks']> {
  const rows = await db
    .selectFrom('tasks')
    .leftJoin('nodes as at', 'at.id', 'tasks.node_id')
    .select((eb) => ['tasks.kind', 'tasks.state', eb.fn.countAll<number>().as('n')])
    .select((eb) => eb.fn.min('tasks.run_at').filterWhere(isUntried(now)).as('oldest'))
    .where('tasks.state', 'in', ['waiting', 'claimed'])
    .groupBy(['tasks.kind', 'tasks.state'])
    .execute();
  return rows.map(({ kind, state, n, oldest }) => {
    const isWaiting = state === 'waiting';
    return {
      kind,
      state: isWaiting ? 'waiting' : 'claimed',
      n: Number(n),
      oldestMs: isWaiting ? Math.max(0, now - Number(oldest ?? now)) : 0,
    };
  });
}

async function failuresOf(db: Database): Promise<Census['failures']> {
  const rows = await db
    .selectFrom('tasks')
    .select((eb) => ['kind', 'state', 'cause', eb.fn.countAll<number>().as('n')])
    .where('cause', 'is not', null)
    .groupBy(['kind', 'state', 'cause'])
    .execute();
  return rows.map(({ kind, state, cause, n }) => ({ kind, state, cause: cause ?? 'INTERNAL', n: Number(n) }));
}
