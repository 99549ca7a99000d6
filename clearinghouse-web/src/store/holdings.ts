import type { KeyId, Reach, VesselName } from '@potluck/protocol';
import type { Database, Trx } from './database.ts';
import { balanceOf } from './ledger.ts';
import { reachOf } from './nodes.ts';
import { policyOf } from './policy.ts';

/** Which vessel: a node and a name on it. As text: `NODEID:v1`. */
export interface VesselRef {
  readonly node: KeyId;
  readonly name: VesselName;
}

export interface Credits {
  readonly total: number;
  readonly used: number;
}

/** A vessel that an account holds. */
export interface Holding extends VesselRef {
  readonly reach: Reach;
  readonly active: boolean;
  readonly expiresAt: number;
  /** From then on its user is warned of it. */
  readonly warnAt: number;
  readonly restrictions: string;
}

/** What is held is counted; what is left the ledger says, whose lines were written with each change of it. */
export async function creditsOf(db: Database | Trx, accountId: string): Promise<Credits> {
  const held = await db
    .selectFrom('vessels')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  const used = Number(held.n);
  return { total: (await balanceOf(db, accountId)) + used, used };
}

/** Only what is leased in full; a vessel of an acquisition under way is not there yet. */
export async function holdingsOf(db: Database | Trx, accountId: string, attempt?: string): Promise<Holding[]> {
  const rows = await db
    .selectFrom('vessels')
    .innerJoin('nodes', 'nodes.id', 'vessels.node_id')
    .select(['vessels.node_id', 'name', 'restrictions', 'expires_at', 'reach', 'connected', 'advertised_until'])
    .where('account_id', '=', accountId)
    .where('state', '=', 'leased')
    .$if(attempt !== undefined, (query) => query.where('attempt', '=', attempt ?? null))
    .orderBy('vessels.node_id')
    .orderBy('name')
    .execute();
  const now = Date.now();
  const { warningMs } = await policyOf(db);
  return rows.map((row) => ({
    node: row.node_id,
    name: row.name,
    reach: reachOf(row),
    active: row.connected === 1 && row.advertised_until > now,
    expiresAt: row.expires_at ?? 0,
    warnAt: (row.expires_at ?? 0) - warningMs,
    restrictions: row.restrictions,
  }));
}

/** Leases of an account that end so soon that it is warned. */
export interface Ending {
  readonly count: number;
  /** When the first of them ends. */
  readonly firstAt: number;
}

export async function endingOf(db: Database | Trx, accountId: string): Promise<Ending | undefined> {
  const { warningMs } = await policyOf(db);
  const row = await db
    .selectFrom('vessels')
    .select((eb) => [eb.fn.countAll<number>().as('n'), eb.fn.min('expires_at').as('first')])
    .where('account_id', '=', accountId)
    .where('state', '=', 'leased')
    .where('expires_at', '<=', Date.now() + warningMs)
    .executeTakeFirstOrThrow();
  return row.first === null ? undefined : { count: Number(row.n), firstAt: Number(row.first) };
}
