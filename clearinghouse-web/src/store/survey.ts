import type { Reach } from '@potluck/protocol';
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { type DonatedNode, donatedOf } from './donated.ts';
import { isUntried } from './due.ts';
import { reachOf } from './nodes.ts';
import type { NodeLife } from './schema.ts';

/** A donated node, as everybody may know of it. */
export interface SurveyedNode {
  readonly reach: Reach;
  readonly active: boolean;
  readonly life: NodeLife;
  readonly vessels: number;
  readonly free: number;
}

/** What waits for the backend. */
export interface QueueFacts {
  readonly waiting: number;
  /** How long the oldest task that is due and untried has waited, see `isUntried`; 0 when none has. */
  readonly oldestMs: number;
}

/** The whole at one look, for the public pages; nothing of anybody in particular. */
export class Survey {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Every donated node. */
  async nodes(now = Date.now()): Promise<SurveyedNode[]> {
    const counted = await this.#db
      .selectFrom('vessels')
      .select((eb) => [
        'node_id',
        eb.fn.countAll<number>().as('vessels'),
        eb.fn.countAll<number>().filterWhere('state', '=', 'free').as('free'),
      ])
      .groupBy('node_id')
      .execute();
    const counts = new Map(counted.map(({ node_id, vessels, free }) => [node_id, { vessels, free }]));
    const rows = await this.#db
      .selectFrom('donations')
      .innerJoin('nodes', 'nodes.id', 'donations.node_id')
      .select(['nodes.id', 'reach', 'connected', 'advertised_until', 'life'])
      .execute();
    return rows.map(({ id, reach, connected, advertised_until, life }) => {
      const { vessels = 0, free = 0 } = counts.get(id) ?? {};
      const active = connected === 1 && advertised_until > now;
      return {
        reach: reachOf({ reach }),
        active,
        life: life ?? 'accepting',
        vessels: Number(vessels),
        free: Number(free),
      };
    });
  }

  /** The machines of one account. */
  async donated(accountId: string): Promise<DonatedNode[]> {
    return await donatedOf(this.#db, accountId);
  }

  async queue(now = Date.now()): Promise<QueueFacts> {
    const row = await this.#db
      .selectFrom('tasks')
      .leftJoin('nodes as at', 'at.id', 'tasks.node_id')
      .select((eb) => eb.fn.countAll<number>().as('waiting'))
      .select((eb) => eb.fn.min('tasks.run_at').filterWhere(isUntried(now)).as('oldest'))
      .where('tasks.state', '=', sql.lit('waiting'))
      .where('tasks.run_at', '<=', now)
      .executeTakeFirst();
    return { waiting: Number(row?.waiting ?? 0), oldestMs: Math.max(0, now - Number(row?.oldest ?? now)) };
  }
}
