import type { Trx } from './database.ts';
import { Offers, type Sought } from './offers.ts';
import { policyOf } from './policy.ts';

/** Vessels that are looked at to see which ports there are: all of a small clearinghouse, a fair part of a large one. */
const SAMPLE = 200;

/** The user's port, given at his first acquisition: one that many nodes have free and few users share. */
export async function userPortOf(trx: Trx, accountId: string, sought: Omit<Sought, 'port'>): Promise<number> {
  const account = await trx
    .selectFrom('accounts')
    .select('user_port')
    .where('id', '=', accountId)
    .executeTakeFirstOrThrow();
  if (account.user_port !== null) return account.user_port;
  const port = await leastCrowdedPort(trx, sought);
  await trx.updateTable('accounts').set({ user_port: port }).where('id', '=', accountId).execute();
  return port;
}

async function leastCrowdedPort(trx: Trx, sought: Omit<Sought, 'port'>): Promise<number> {
  const { firstUserPort, lastUserPort } = await policyOf(trx);
  const nodes = await nodesByPort(trx, sought);
  const sharers = await trx
    .selectFrom('accounts')
    .select(['user_port', (eb) => eb.fn.countAll<number>().as('n')])
    .where('user_port', 'is not', null)
    .groupBy('user_port')
    .execute();
  const users = new Map(sharers.map(({ user_port, n }) => [user_port, Number(n)]));
  const score = (port: number): number => ((nodes.get(port) ?? 0) + 0.01) / ((users.get(port) ?? 0) + 1);
  let best = firstUserPort;
  for (let port = firstUserPort; port <= lastUserPort; port += 1) {
    if (score(port) > score(best)) best = port;
  }
  return best;
}

/** How many nodes of a sample have a port free. */
async function nodesByPort(trx: Trx, sought: Omit<Sought, 'port'>): Promise<ReadonlyMap<number, number>> {
  const offers = new Offers(trx, { ...sought, port: 'any' });
  const free = (await offers.next(SAMPLE)).slice(0, SAMPLE);
  const names = new Set(free.map(({ node, name }) => `${node}:${name}`));
  const nodes = new Map<number, Set<string>>();
  for (const batch of batches([...new Set(free.map(({ node }) => node))])) {
    const rows = await trx
      .selectFrom('vessel_ports')
      .select(['node_id', 'name', 'port'])
      .where('node_id', 'in', batch)
      .execute();
    for (const { node_id, name, port } of rows) {
      if (!names.has(`${node_id}:${name}`)) continue;
      nodes.set(port, (nodes.get(port) ?? new Set()).add(node_id));
    }
  }
  return new Map([...nodes].map(([port, ofIt]) => [port, ofIt.size]));
}

function batches<T>(items: readonly T[], size = 500): T[][] {
  const starts = Array.from({ length: Math.ceil(items.length / size) }, (_, index) => index * size);
  return starts.map((start) => items.slice(start, start + size));
}
