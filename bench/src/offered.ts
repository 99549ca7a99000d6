import { sql } from 'kysely';
import { openDatabase } from '../../clearinghouse-web/src/store/database.ts';

export interface OfferedInit {
  readonly nodes: number;
  /** Of each node; all are free. */
  readonly vesselsPerNode: number;
}

/** Ports of one vessel, as the installer gives them. */
const PORTS = 10;
const FIRST_PORT = 63_100;
const ALL_PORTS = 80;
const LOTS = 2 ** 52;
/** Multiples of them fall evenly between 0 and `LOTS`, in no order. */
const [STEP, PORT_STEP] = [43_914_726_481_789, 8_914_726_481_789];
const DAY_MS = 86_400_000;

/**
 * Fills a migrated database with nodes that are there, in as many networks, and with their vessels.
 * @param location as `--database` takes it
 */
export async function fillWithOffers(location: string, { nodes, vesselsPerNode }: OfferedInit): Promise<void> {
  await using db = openDatabase(location);
  const until = Date.now() + DAY_MS;
  const counted = sql`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${sql.lit(nodes - 1)}),
    v(i, k) AS (SELECT i, 1 FROM n UNION ALL SELECT i, k + 1 FROM v WHERE k < ${sql.lit(vesselsPerNode)}),
    p(i, k, q) AS (SELECT i, k, 0 FROM v UNION ALL SELECT i, k, q + 1 FROM p WHERE q < ${sql.lit(PORTS - 1)})`;
  const node = sql`'simulated-node-' || i`;
  const number = sql`(i * ${sql.lit(vesselsPerNode)} + k)`;
  await sql`INSERT INTO nodes (id, reach, relayed, advertisement, advertised_at, advertised_until, connected, network,
      country, first_seen, last_seen, life)
    ${counted} SELECT ${node}, '{"addresses":[],"relays":[]}', 0, '', 0, ${sql.lit(until)}, 1, 'network-' || i, 'NL', 0, 0,
      'offered' FROM n`.execute(db);
  await sql`INSERT INTO vessels (node_id, name, owner, restrictions, state, lot)
    ${counted} SELECT ${node}, 'v' || k, 'owner', '', 'free',
      (${number} * ${sql.lit(STEP)}) % ${sql.lit(LOTS)} FROM v`.execute(db);
  await sql`INSERT INTO vessel_ports (node_id, name, port, lot)
    ${counted} SELECT ${node}, 'v' || k, ${sql.lit(FIRST_PORT)} + (k * ${sql.lit(PORTS)} + q) % ${sql.lit(ALL_PORTS)},
      ((${number} * ${sql.lit(PORTS)} + q) * ${sql.lit(PORT_STEP)}) % ${sql.lit(LOTS)} FROM p`.execute(db);
  // PostgreSQL does so by itself within a minute.
  await sql`ANALYZE`.execute(db);
}
