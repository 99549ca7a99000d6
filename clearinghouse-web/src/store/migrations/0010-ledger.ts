import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { makeAppendOnly } from '../append-only.ts';

/** What everybody had before there was a policy to say so. */
const FREE = 10;
const BATCH = 100;

/** The ledger of credits, the policy, and by what vessels are chosen. */
export const ledger: Migration = {
  async up(untyped: Kysely<unknown>): Promise<void> {
    const db = untyped as Kysely<Before>;
    await db.schema
      .createTable('ledger')
      .addColumn('account_id', 'text', (c) => c.notNull())
      .addColumn('number', 'integer', (c) => c.notNull())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('amount', 'integer', (c) => c.notNull())
      .addColumn('balance', 'integer', (c) => c.notNull())
      .addColumn('why', 'text', (c) => c.notNull())
      .addColumn('subject', 'text')
      .addPrimaryKeyConstraint('ledger_pk', ['account_id', 'number'])
      .execute();
    await db.schema.createIndex('ledger_at').on('ledger').column('at').execute();
    await db.schema
      .createTable('policy')
      .addColumn('id', 'integer', (c) => c.primaryKey())
      .addColumn('text', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .alterTable('donations')
      .addColumn('credited', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
    await addFacts(db);
    await addLots(db);
    await openAccounts(db);
    await makeAppendOnly(untyped, 'ledger');
  },
};

/** Nothing was kept of where connections came from: each node is known again when it dials. */
async function addFacts(db: Kysely<Before>): Promise<void> {
  for (const column of ['network', 'country'] as const) {
    await db.schema.alterTable('nodes').addColumn(column, 'text').execute();
  }
  await db.schema
    .alterTable('nodes')
    .addColumn('labels', 'text', (c) => c.notNull().defaultTo('[]'))
    .execute();
  await db.schema
    .alterTable('acquisitions')
    .addColumn('rules', 'text', (c) => c.notNull().defaultTo('[]'))
    .execute();
}

/** Random numbers by which vessels are drawn: see `offers.ts`. */
async function addLots(db: Kysely<Before>): Promise<void> {
  for (const table of ['vessels', 'vessel_ports'] as const) {
    await db.schema
      .alterTable(table)
      .addColumn('lot', 'bigint', (c) => c.notNull().defaultTo(0))
      .execute();
  }
  for (const row of await db.selectFrom('vessels').select(['node_id', 'name']).execute()) {
    await db
      .updateTable('vessels')
      .set({ lot: drawn() })
      .where('node_id', '=', row.node_id)
      .where('name', '=', row.name)
      .execute();
  }
  for (const row of await db.selectFrom('vessel_ports').select(['node_id', 'name', 'port']).execute()) {
    await db
      .updateTable('vessel_ports')
      .set({ lot: drawn() })
      .where('node_id', '=', row.node_id)
      .where('name', '=', row.name)
      .where('port', '=', row.port)
      .execute();
  }
  await sql`CREATE INDEX vessels_lot ON vessels (lot) WHERE state = 'free'`.execute(db);
  await db.schema.createIndex('vessel_ports_lot').on('vessel_ports').columns(['port', 'lot']).execute();
  await db.schema.dropIndex('vessel_ports_port').execute();
  await sql`CREATE INDEX accounts_port ON accounts (user_port) WHERE user_port IS NOT NULL`.execute(db);
}

/** The first entries say what everybody has and holds now; donations are counted when their nodes are seen. */
async function openAccounts(db: Kysely<Before>): Promise<void> {
  const now = Date.now();
  const held = await db
    .selectFrom('vessels')
    .select(['account_id', 'node_id', 'name'])
    .where('account_id', 'is not', null)
    .orderBy('node_id')
    .orderBy('name')
    .execute();
  const byAccount = Map.groupBy(held, ({ account_id }) => account_id);
  for (const { id } of await db.selectFrom('accounts').select('id').execute()) {
    const vessels = (byAccount.get(id) ?? []).map(({ node_id, name }) => `${node_id}:${name}`);
    const first = {
      account_id: id,
      number: 1,
      at: now,
      amount: FREE,
      balance: FREE,
      why: 'registration',
      subject: null,
    };
    const others = vessels.map((subject, index) => {
      return { ...first, number: index + 2, amount: -1, balance: FREE - index - 1, why: 'acquire', subject };
    });
    const rows = [first, ...others];
    while (rows.length > 0) await db.insertInto('ledger').values(rows.splice(0, BATCH)).execute();
  }
}

function drawn(): number {
  return Math.floor(Math.random() * 2 ** 52);
}

/** The tables as this migration finds and leaves them. */
interface Before {
  accounts: { id: string };
  vessels: { node_id: string; name: string; account_id: string | null; lot: number };
  vessel_ports: { node_id: string; name: string; port: number; lot: number };
  ledger: {
    account_id: string;
    number: number;
    at: number;
    amount: number;
    balance: number;
    why: string;
    subject: string | null;
  };
}
