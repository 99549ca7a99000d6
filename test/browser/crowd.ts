import { join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { generateIdentity, type KeyId, type VesselName } from '@potluck/protocol';
import { openDatabase } from '../../clearinghouse-web/src/store/database.ts';
import { post, settleDonations } from '../../clearinghouse-web/src/store/ledger.ts';
import { restrictionsOf } from './world.ts';

/** Addresses of many countries, and one of none. */
const HOSTS = [
  '8.8.8.8',
  '1.1.1.1',
  '193.0.0.1',
  '133.11.0.1',
  '200.160.0.1',
  '196.25.1.1',
  '2001:67c:2e8::1',
  '10.0.0.7',
];

interface Crowd {
  /** The clearinghouse's state directory. */
  readonly state: string;
  readonly donor: string;
  readonly holder: string;
  readonly nodes: number;
  /** Vessels that the holder has leased, each on another node as far as they go; every node has a free one more. */
  readonly held: number;
}

/** Writes machines into a running clearinghouse's database that are nowhere, for pages that have much to show. */
export async function addCrowd({ state, donor, holder, nodes, held }: Crowd): Promise<KeyId[]> {
  const db = openDatabase(join(state, 'clearinghouse.sqlite'));
  const idOf = async (name: string) =>
    (await db.selectFrom('accounts').select('id').where('username', '=', name).executeTakeFirstOrThrow()).id;
  try {
    const [donorId, holderId, now] = [await idOf(donor), await idOf(holder), Date.now()];
    const ids = Array.from({ length: nodes }, () => generateIdentity().id);
    await db.transaction().execute(async (trx) => {
      for (const [index, id] of ids.entries()) {
        const addresses = index % 9 === 8 ? [] : [{ host: HOSTS[index % HOSTS.length], port: 1224 + index }];
        const reach = JSON.stringify({ addresses, relays: [] });
        const times = { advertised_at: now, advertised_until: now + 86_400_000, first_seen: now, last_seen: now };
        const node = {
          id,
          reach,
          advertisement: '',
          relayed: addresses.length === 0 ? 1 : 0,
          connected: 1,
          life: 'offered' as const,
          life_since: now,
          ...times,
        };
        await trx.insertInto('nodes').values(node).execute();
        await trx.insertInto('donations').values({ node_id: id, account_id: donorId, created_at: now }).execute();
        const free = { account_id: null, expires_at: null, state: 'free' as const };
        const rest = { node_id: id, owner: id, restrictions: restrictionsOf(63_100), fence: 1 };
        await trx
          .insertInto('vessels')
          .values({ ...rest, ...free, name: 'v99' as VesselName })
          .execute();
      }
      for (let index = 0; index < held; index += 1) {
        const id = ids[index % nodes] ?? generateIdentity().id;
        const name = `v${1 + Math.floor(index / nodes)}` as VesselName;
        const lease = { account_id: holderId, expires_at: now + 600_000 * (index + 2), state: 'leased' as const };
        const vessel = { node_id: id, owner: id, restrictions: restrictionsOf(63_100), fence: 1, name, ...lease };
        await trx.insertInto('vessels').values(vessel).execute();
        await post(trx, [{ accountId: holderId, amount: -1, why: 'acquire', subject: `${id}:${name}` }]);
      }
      await settleDonations(trx); // As the next sweep does.
    });
    return ids;
  } finally {
    await db.destroy();
  }
}

/** Days on which the machines of an account were up, more and more of them. */
export async function addDays(state: string, username: string, days: number): Promise<void> {
  const db = openDatabase(join(state, 'clearinghouse.sqlite'));
  try {
    const { id } = await db
      .selectFrom('accounts')
      .select('id')
      .where('username', '=', username)
      .executeTakeFirstOrThrow();
    const today = Date.now() - (Date.now() % 86_400_000);
    const rows = Array.from({ length: days }, (_, index) => {
      const online_ms = 3_600_000 * (24 + 20 * (days - index) + 9 * ((index * 7) % 11));
      const lent_ms = Math.round(online_ms * (0.3 + ((index * 5) % 9) / 20));
      return { account_id: id, node_id: generateIdentity().id, day: today - index * 86_400_000, online_ms, lent_ms };
    });
    await db.insertInto('contributions').values(rows).execute();
  } finally {
    await db.destroy();
  }
}

/** Their machines are nowhere, or somebody else's: the page must not have them asked what runs there. */
export async function askNobody(context: BrowserContext): Promise<void> {
  await context.routeWebSocket(/\/pass\//, async (socket) => await socket.close());
}
