import { generateIdentity, type KeyId } from '@potluck/protocol';
import { pino } from 'pino';
import { PostgresBus } from '../../src/bus/postgres.ts';
import { Store } from '../../src/store/store.ts';
import type { PostgresServer } from './postgres.ts';

const logger = pino({ level: 'silent' });
/** The second of two sites has it. */
export const node = generateIdentity().id;
export const ADVERTISEMENT = {
  addresses: [{ host: '127.0.0.1', port: 1 }],
  ...{ relays: [], keys: [], version: 'test' },
  iat: Math.floor(Date.now() / 1000),
  exp: Math.floor(Date.now() / 1000) + 60,
};

/** Two sites of one clearinghouse on a new database, joined by their bus. */
export async function openSites(server: PostgresServer) {
  await using stack = new AsyncDisposableStack();
  const url = await server.createDatabase();
  stack.defer(async () => await server.dropDatabase(url));
  const store = stack.use(await Store.open(url));
  const gatewayKey = generateIdentity().id;
  const [first, second] = [
    await store.sites.join({ gatewayKey, alone: false }),
    await store.sites.join({ gatewayKey, alone: false }),
  ];
  const busOf = async (site: number) => {
    const siteOf = async (whom: KeyId) => await store.sites.siteOf(whom);
    const bus = stack.use(new PostgresBus({ url, site, siteOf, logger }));
    await bus.start();
    return bus;
  };
  const [here, there] = [await busOf(first), await busOf(second)];
  await store.nodes.seen({ node, advertisement: ADVERTISEMENT, jws: 'signed', first: true, site: second });
  const kept = stack.move();
  return { store, first, second, here, there, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}
