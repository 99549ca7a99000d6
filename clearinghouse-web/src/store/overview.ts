import { type KeyId, keyIdSchema, type Reach, type VesselName } from '@potluck/protocol';
import { type Selectable, sql } from 'kysely';
import type { Database } from './database.ts';
import type { VesselRef } from './holdings.ts';
import { reachOf } from './nodes.ts';
import type { AccountsTable, LeaseState, NodeLife, NodesTable, Role } from './schema.ts';

/** Which page: rows after this one, in the list's own order. */
export interface Part {
  readonly limit: number;
  readonly after?: string | undefined;
}

export interface UserRow {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly keyId: KeyId;
  readonly role: Role;
  readonly bannedAt: number | null;
  readonly createdAt: number;
  /** Vessels that he holds, and nodes that he donates. */
  readonly held: number;
  readonly donated: number;
}

export interface NodeRow {
  readonly node: KeyId;
  readonly reach: Reach;
  readonly life: NodeLife | null;
  readonly since: number;
  readonly reason: string | null;
  readonly draining: boolean;
  readonly connected: boolean;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly donor: string | null;
  readonly vessels: number;
  readonly held: number;
}

export interface LeaseRow {
  readonly node: KeyId;
  readonly vessel: VesselName;
  readonly state: LeaseState;
  readonly holder: string | null;
  readonly expiresAt: number | null;
}

/** What an administrator looks at; it changes nothing. */
export class Overview {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** By name. @param search how the name begins. */
  async users(search: string | undefined, { limit, after }: Part): Promise<UserRow[]> {
    const rows = await this.#users()
      .$if(search !== undefined, (query) => {
        const pattern = `${(search ?? '').toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
        return query.where(sql<boolean>`accounts.username_key LIKE ${pattern} ESCAPE '\\'`);
      })
      .$if(after !== undefined, (query) => query.where('accounts.username_key', '>', (after ?? '').toLowerCase()))
      .orderBy('accounts.username_key')
      .limit(limit)
      .execute();
    return rows.map(userOf);
  }

  async user(username: string): Promise<UserRow | undefined> {
    const row = await this.#users().where('accounts.username_key', '=', username.toLowerCase()).executeTakeFirst();
    return row && userOf(row);
  }

  /** Names of accounts, for who reads ids; those that were deleted have none. */
  async names(ids: readonly string[]): Promise<Map<string, string>> {
    if (ids.length === 0) return new Map();
    const named = this.#db.selectFrom('accounts').select(['id', 'username']).where('id', 'in', ids);
    const rows = await named.where('closed_at', 'is', null).execute();
    return new Map(rows.map(({ id, username }) => [id, username]));
  }

  /** Donated nodes by id; with a life only those. */
  async nodes(life: NodeLife | undefined, { limit, after }: Part): Promise<NodeRow[]> {
    const rows = await this.#nodes()
      .where('nodes.life', life === undefined ? 'is not' : '=', life ?? null)
      .$if(after !== undefined, (query) => query.where('nodes.id', '>', keyIdSchema.parse(after)))
      .orderBy('nodes.id')
      .limit(limit)
      .execute();
    return rows.map(nodeOf);
  }

  async node(node: KeyId): Promise<NodeRow | undefined> {
    const row = await this.#nodes().where('nodes.id', '=', node).executeTakeFirst();
    return row && nodeOf(row);
  }

  /** The vessels of a node, in the order of their names' numbers. */
  async vessels(node: KeyId): Promise<LeaseRow[]> {
    const rows = await this.#vessels().where('vessels.node_id', '=', node).execute();
    const number = ({ vessel }: LeaseRow): number => Number(vessel.slice(1));
    return rows.toSorted((one, other) => number(one) - number(other));
  }

  /** What is held, by node and vessel. @param after node and name of a vessel */
  async leases(holder: string | undefined, { limit, after }: { limit: number; after?: VesselRef | undefined }) {
    const rows: LeaseRow[] = await this.#vessels()
      .where('vessels.account_id', 'is not', null)
      .$if(holder !== undefined, (query) => query.where('accounts.username_key', '=', (holder ?? '').toLowerCase()))
      .$if(after !== undefined, (query) =>
        query.where(({ or, and, eb }) => {
          const { node, name } = after as VesselRef;
          const further = and([eb('vessels.node_id', '=', node), eb('vessels.name', '>', name)]);
          return or([eb('vessels.node_id', '>', node), further]);
        }),
      )
      .orderBy('vessels.node_id')
      .orderBy('vessels.name')
      .limit(limit)
      .execute();
    return rows;
  }

  #users() {
    return this.#db
      .selectFrom('accounts')
      .select(['id', 'username', 'email', 'key_id', 'role', 'banned_at', 'created_at'])
      .where('closed_at', 'is', null)
      .select((eb) => [
        eb
          .selectFrom('vessels')
          .whereRef('vessels.account_id', '=', 'accounts.id')
          .select((v) => v.fn.countAll<number>().as('n'))
          .as('held'),
        eb
          .selectFrom('donations')
          .whereRef('donations.account_id', '=', 'accounts.id')
          .select((d) => d.fn.countAll<number>().as('n'))
          .as('donated'),
      ]);
  }

  #nodes() {
    return this.#db
      .selectFrom('nodes')
      .leftJoin('donations', 'donations.node_id', 'nodes.id')
      .leftJoin('accounts', (join) =>
        join.onRef('accounts.id', '=', 'donations.account_id').on('accounts.closed_at', 'is', null),
      )
      .select(['nodes.id', 'nodes.reach', 'life', 'life_since', 'life_reason', 'draining', 'connected'])
      .select(['first_seen', 'last_seen', 'advertised_until', 'accounts.username as donor'])
      .select((eb) => [
        eb
          .selectFrom('vessels')
          .whereRef('vessels.node_id', '=', 'nodes.id')
          .select((v) => v.fn.countAll<number>().as('n'))
          .as('vessels'),
        eb
          .selectFrom('vessels')
          .whereRef('vessels.node_id', '=', 'nodes.id')
          .where('vessels.account_id', 'is not', null)
          .select((v) => v.fn.countAll<number>().as('n'))
          .as('held'),
      ]);
  }

  #vessels() {
    return this.#db
      .selectFrom('vessels')
      .leftJoin('accounts', 'accounts.id', 'vessels.account_id')
      .select(['vessels.node_id as node', 'vessels.name as vessel', 'vessels.state', 'accounts.username as holder'])
      .select('vessels.expires_at as expiresAt');
  }
}

type UserColumns = Pick<
  Selectable<AccountsTable>,
  'id' | 'username' | 'email' | 'key_id' | 'role' | 'banned_at' | 'created_at'
>;

function userOf({ key_id, banned_at, created_at, held, donated, ...row }: UserColumns & Counts<'held' | 'donated'>) {
  const counts = { held: Number(held ?? 0), donated: Number(donated ?? 0) };
  return { ...row, keyId: key_id, bannedAt: banned_at, createdAt: created_at, ...counts } satisfies UserRow;
}

type NodeColumns = Pick<
  Selectable<NodesTable>,
  | 'id'
  | 'reach'
  | 'life'
  | 'life_since'
  | 'life_reason'
  | 'draining'
  | 'connected'
  | 'advertised_until'
  | 'first_seen'
  | 'last_seen'
>;

function nodeOf(row: NodeColumns & Counts<'vessels' | 'held'> & { donor: string | null }): NodeRow {
  return {
    node: row.id,
    reach: reachOf(row),
    life: row.life,
    since: row.life_since,
    reason: row.life_reason,
    draining: row.draining === 1,
    connected: row.connected === 1 && row.advertised_until > Date.now(),
    firstSeen: row.first_seen,
    lastSeen: row.last_seen,
    donor: row.donor,
    vessels: Number(row.vessels ?? 0),
    held: Number(row.held ?? 0),
  };
}

type Counts<K extends string> = Readonly<Record<K, number | null>>;
