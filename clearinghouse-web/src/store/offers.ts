import { isMeasured, type KeyId, type VesselName } from '@potluck/protocol';
import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { z } from 'zod';
import type { NodeFacts } from '../rules/facts.ts';
import { countriesOf, type FilterWish, isAnywhere } from '../rules/filters.ts';
import type { Candidate } from '../rules/search.ts';
import type { Trx } from './database.ts';
import type { Tables } from './schema.ts';

/** Rows of the first window, and how much larger the next ones are. */
const FIRST_WINDOW = 64;
const GROWTH = 4;
/** Candidates in one acquisition: far more than anybody may ask for. */
const MOST = 5000;
/** Rows that are gone through for them, free or not. */
export const MOST_ROWS = 200_000;
/** Lots are whole numbers below this. */
const LOTS = 2 ** 52;
const labelsSchema = z.array(z.string());

/** A random number; new ones are drawn when a vessel comes into the inventory and when it is free again. */
export function drawn(): number {
  return Math.floor(Math.random() * LOTS);
}

export interface Sought {
  /** The port that a vessel must own, for UDP and TCP, or any. */
  readonly port: number | 'any';
  /** A port that it must not own. */
  readonly notPort?: number | undefined;
  readonly filters: readonly FilterWish[];
  readonly without: readonly KeyId[];
}

/**
 * Free vessels on nodes that are there, by chance: from a random place on, in the order of their random lots, in windows
 * that grow. An index leads from row to row, so that ten out of a hundred thousand cost no more than ten out of a
 * hundred; how likely a vessel is to be in a window hangs on the gaps of a whole window's lots, which even out.
 */
export class Offers {
  readonly #trx: Trx;
  readonly #sought: Sought;
  readonly #start = drawn();
  #from = this.#start;
  #hasTurned = false;
  #isOver = false;
  #window = FIRST_WINDOW;
  readonly #effort: { rows: number };
  #found = 0;

  /** @param effort rows that may still be gone through, here and by whomever it is shared with. */
  constructor(trx: Trx, sought: Sought, effort = { rows: MOST_ROWS }) {
    this.#trx = trx;
    this.#sought = sought;
    this.#effort = effort;
  }

  /** All has been seen, or as much as anybody looks at. */
  get isOver(): boolean {
    return this.#isOver || this.#found >= MOST || this.#effort.rows <= 0;
  }

  /** So many more, or all that are left. */
  async next(least: number): Promise<Candidate[]> {
    const found: Candidate[] = [];
    while (!this.isOver && found.length < least) {
      const to = this.#hasTurned ? this.#start : LOTS;
      const end = await this.#windowEnd(to);
      found.push(...(await this.#candidates(end ?? to)));
      this.#effort.rows -= this.#window;
      this.#window *= GROWTH;
      if (end !== undefined) this.#from = end;
      else if (this.#hasTurned) this.#isOver = true;
      else [this.#hasTurned, this.#from] = [true, 0];
    }
    this.#found += found.length;
    return found;
  }

  /** @returns the lot before which the window ends; undefined when it goes to the end. */
  async #windowEnd(to: number): Promise<number | undefined> {
    const { port } = this.#sought;
    const lots =
      port === 'any'
        ? this.#trx.selectFrom('vessels as v').select('v.lot').where('v.state', '=', sql.lit('free'))
        : this.#trx.selectFrom('vessel_ports as v').select('v.lot').where('v.port', '=', port);
    // Of either table only the lot matters from here on, which the types cannot say of a union.
    const row = await (lots as SelectQueryBuilder<{ v: { lot: number } }, 'v', { lot: number }>)
      .where('v.lot', '>=', this.#from)
      .where('v.lot', '<', to)
      .orderBy('v.lot')
      .limit(1)
      .offset(this.#window)
      .executeTakeFirst();
    return row?.lot;
  }

  async #candidates(to: number): Promise<Candidate[]> {
    const { port } = this.#sought;
    if (port === 'any') {
      const rows = await offered(this.#trx, this.#sought)
        .where('vessels.lot', '>=', this.#from)
        .where('vessels.lot', '<', to)
        .execute();
      return rows.map((row) => candidateOf(row, true));
    }
    const rows = await offered(this.#trx, this.#sought)
      .innerJoin('vessel_ports as p', (join) =>
        join.onRef('p.node_id', '=', 'vessels.node_id').onRef('p.name', '=', 'vessels.name'),
      )
      .where('p.port', '=', port)
      .where('p.lot', '>=', this.#from)
      .where('p.lot', '<', to)
      .execute();
    return rows.map((row) => candidateOf(row, true));
  }
}

/** The free vessels of these nodes that do not own the port. */
export async function othersOn(trx: Trx, sought: Sought, nodes: readonly KeyId[]): Promise<Candidate[]> {
  const { port } = sought;
  if (port === 'any' || nodes.length === 0) return [];
  const rows = await offered(trx, sought)
    .where('vessels.node_id', 'in', nodes.slice(0, MOST))
    .where((eb) => eb.not(owning(eb, port)))
    .limit(MOST)
    .execute();
  return rows.map((row) => candidateOf(row, false));
}

function owning(eb: ExpressionBuilder<Tables, 'vessels'>, port: number) {
  return eb.exists(
    eb
      .selectFrom('vessel_ports as p')
      .select('p.port')
      .whereRef('p.node_id', '=', 'vessels.node_id')
      .whereRef('p.name', '=', 'vessels.name')
      .where('p.port', '=', port),
  );
}

function offered(trx: Trx, { filters, without, notPort }: Sought) {
  return filters.reduce(
    (query, wish) => query.where((eb) => filterOf(eb, wish)),
    trx
      .selectFrom('vessels')
      .innerJoin('nodes', 'nodes.id', 'vessels.node_id')
      .leftJoin('donations', 'donations.node_id', 'vessels.node_id')
      .select(['vessels.node_id', 'vessels.name', 'donations.account_id as owner'])
      .select(['nodes.network', 'nodes.country', 'nodes.labels', 'nodes.relayed'])
      .where('vessels.state', '=', sql.lit('free'))
      .where((eb) => isOffering(eb, Date.now()))
      .$if(without.length > 0, (query) => query.where('vessels.node_id', 'not in', without))
      .$if(notPort !== undefined, (query) => query.where((eb) => eb.not(owning(eb, notPort ?? 0)))),
  );
}

/** Whether what is free on a node may be given to anybody now. */
export function isOffering(eb: ExpressionBuilder<Tables, 'nodes'>, now: number): Expression<SqlBool> {
  return eb.and([
    eb('nodes.connected', '=', 1),
    eb('nodes.life', '=', 'offered'),
    eb('nodes.draining', '=', 0),
    eb('nodes.rests_until', '<=', now),
    eb('nodes.advertised_until', '>', now),
  ]);
}

function filterOf(eb: ExpressionBuilder<Tables, 'nodes'>, wish: FilterWish): Expression<SqlBool> {
  if (wish.kind === 'nat') return eb('nodes.relayed', '=', wish.not ? 0 : 1);
  if (wish.kind === 'label') {
    // No label has a quote or a wildcard in it.
    const has = wish.labels.map((label) => eb('nodes.labels', 'like', `%"${label}"%`));
    return wish.not ? eb.not(eb.or(has)) : eb.and(has);
  }
  if (isAnywhere(wish)) return sql.lit(true);
  const countries = countriesOf(wish);
  const known = countries.length === 0 ? sql.lit(false) : eb('nodes.country', 'in', countries);
  return isMeasured(wish) ? eb.or([known, eb('nodes.country', 'is', null)]) : known;
}

interface Row {
  readonly node_id: KeyId;
  readonly name: VesselName;
  readonly owner: string | null;
  readonly network: string | null;
  readonly country: string | null;
  readonly labels: string;
  readonly relayed: number;
}

function candidateOf({ node_id: node, name, ...row }: Row, owns: boolean): Candidate {
  return { node, name, owns, facts: factsOf({ node_id: node, ...row }) };
}

export function factsOf(row: Omit<Row, 'name'>): NodeFacts {
  return {
    node: row.node_id,
    network: row.network ?? undefined,
    country: row.country ?? undefined,
    owner: row.owner ?? undefined,
    labels: labelsSchema.parse(JSON.parse(row.labels)),
    relayed: row.relayed === 1,
  };
}
