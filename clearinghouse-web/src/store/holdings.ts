import type { KeyId, Reach, VesselName } from '@potluck/protocol';
import type { Database, Trx } from './database.ts';
import { balanceOf } from './ledger.ts';
import { reachOf } from './nodes.ts';

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
  return rows.map((row) => ({
    node: row.node_id,
    name: row.name,
    reach: reachOf(row),
    active: row.connected === 1 && row.advertised_until > now,
    expiresAt: row.expires_at ?? 0,
    restrictions: row.restrictions,
  }));
}
