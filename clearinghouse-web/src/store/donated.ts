import { type KeyId, parseRestrictions, type Reach } from '@potluck/protocol';
import type { Database } from './database.ts';
import { reachOf } from './nodes.ts';
import type { NodeLife } from './schema.ts';

/** What all vessels of a machine may use together. */
export interface Offer {
  /** Cores. */
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** A machine that an account has donated. */
export interface DonatedNode {
  readonly node: KeyId;
  readonly reach: Reach;
  readonly active: boolean;
  readonly life: NodeLife | null;
  /** Why it is broken. */
  readonly reason: string | null;
  readonly draining: boolean;
  readonly since: number;
  readonly lastSeen: number;
  readonly vessels: number;
  /** Of them, held by somebody. */
  readonly lent: number;
  readonly offer: Offer;
}

/** Newest first. */
export async function donatedOf(db: Database, accountId: string): Promise<DonatedNode[]> {
  const mine = db.selectFrom('donations').where('donations.account_id', '=', accountId);
  const rows = await mine
    .innerJoin('nodes', 'nodes.id', 'donations.node_id')
    .select(['nodes.id', 'reach', 'connected', 'advertised_until', 'last_seen', 'life', 'life_reason', 'draining'])
    .select('donations.created_at')
    .orderBy('donations.created_at', 'desc')
    .execute();
  const vessels = await mine
    .innerJoin('vessels', 'vessels.node_id', 'donations.node_id')
    .select(['vessels.node_id', 'restrictions', 'state'])
    .execute();
  const byNode = Map.groupBy(vessels, ({ node_id }) => node_id);
  return rows.map((row) => {
    const own = byNode.get(row.id) ?? [];
    return {
      node: row.id,
      reach: reachOf(row),
      active: row.connected === 1 && row.advertised_until > Date.now(),
      life: row.life,
      reason: row.life === 'broken' ? row.life_reason : null,
      draining: row.draining === 1,
      since: Number(row.created_at),
      lastSeen: Number(row.last_seen),
      vessels: own.length,
      lent: own.filter(({ state }) => state === 'leased').length,
      // Reading it takes a while, and not every page tells it.
      get offer() {
        return offerOf(own.map(({ restrictions }) => restrictions));
      },
    };
  });
}

/** The vessels of a machine mostly have the same restrictions: each text is read once. */
function offerOf(texts: readonly string[]): Offer {
  const read = new Map([...new Set(texts)].map((text) => [text, parseRestrictions(text).quantities]));
  const all = texts.flatMap((text) => read.get(text) ?? []);
  const sum = (name: 'cpu' | 'memory' | 'diskused'): number => all.reduce((total, each) => total + each[name], 0);
  return { cpu: sum('cpu'), memoryBytes: sum('memory'), diskBytes: sum('diskused') };
}
