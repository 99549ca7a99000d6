import assert from 'node:assert/strict';
import { join } from 'node:path';
import { RequestError } from '@potluck/protocol';
import { pino } from 'pino';
import { DonorKeys } from '../src/backend/keys.ts';
import { Worker } from '../src/backend/worker.ts';
import { QUEUE } from '../src/limits.ts';
import { type Database, openDatabase, transact } from '../src/store/database.ts';
import { Store } from '../src/store/store.ts';
import { Peer } from './support/peer.ts';
import { accountOf } from './support/rows.ts';
import { temporaryDirectory } from './support/site.ts';

describe('what the backend keeps of a node that it has asked', () => {
  const now = performance.now.bind(performance);
  let stack: AsyncDisposableStack;
  let store: Store;
  let database: Database;
  let worker: Worker;
  let peer: Peer;
  /** By so much the clock goes ahead. */
  let aheadMs: number;
  let ended: Promise<boolean>;

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    const { path } = stack.use(await temporaryDirectory());
    const location = join(path, 'test.sqlite');
    store = stack.use(await Store.open(location));
    database = openDatabase(location);
    stack.defer(async () => await database.destroy());
    const keys = stack.use(await DonorKeys.open(join(path, 'keys.sqlite')));
    const donor = await accountOf(store, 'donor');
    const key = await keys.ensure(donor.id);
    await transact(database, async (trx) => await store.accounts.setDonorKey(trx, donor.id, key));
    peer = stack.use(await new Peer(key, 1).listen());
    const { promise, resolve } = Promise.withResolvers<boolean>();
    ended = promise;
    const onEnded = ({ kind }: { kind: string }, done: boolean): void => {
      if (kind === 'inspect-node') resolve(done);
    };
    worker = new Worker({ store, keys }, { logger: pino({ level: 'silent' }), onEnded });
    stack.defer(async () => await worker.stop());
    const iat = Math.floor(Date.now() / 1000);
    const addresses = [{ host: '127.0.0.1', port: peer.port }];
    const advertisement = { addresses, relays: [], keys: [key], version: '1', iat, exp: iat + 600 };
    await store.nodes.seen({ node: peer.identity.id, advertisement, jws: 'signed', first: true });
    aheadMs = 0;
    performance.now = () => now() + aheadMs;
  });
  afterEach(async () => {
    performance.now = now;
    await stack.disposeAsync();
  });

  /** @returns whether it was done. */
  async function inspected({ tries = 0 } = {}): Promise<boolean> {
    await database.updateTable('tasks').set({ attempts: tries }).where('kind', '=', 'inspect-node').execute();
    await worker.start();
    return await ended;
  }

  const nodeOf = async () => await database.selectFrom('nodes').selectAll().executeTakeFirstOrThrow();

  /** With its last try. @returns what is kept of it: with the task, with the node, and for ever in the audit log. */
  async function kept(): Promise<string[]> {
    assert.equal(await inspected({ tries: 7 }), false);
    const task = await database.selectFrom('tasks').selectAll().where('kind', '=', 'inspect-node').executeTakeFirst();
    const [entry] = await store.audit.list({ action: 'node.broken' }, { limit: 1 });
    return [task?.error ?? '', (await nodeOf()).life_reason ?? '', String(entry?.details.why)];
  }

  it(`is at most ${QUEUE.errorLength} characters of its words`, async () => {
    peer.gate = () => {
      throw new RequestError('DISK_FULL', 'x'.repeat(4096));
    };
    const [error = '', ...others] = await kept();
    assert.equal(error, 'x'.repeat(QUEUE.errorLength));
    assert.deepEqual(others, Array(2).fill(`inspect-node: ${error}`));
  });

  it('is a sentence when nothing of what it says is as it should be, however much that is', async () => {
    const walls = { up: [], missing: [] };
    const vessels = Array(100_000).fill({});
    peer.lies = { GetVessels: { result: { version: 'test', node: peer.identity.id, walls, vessels } } };
    for (const text of await kept()) assert.match(text, /^.{0,20}expected a result of GetVessels, got .{1,300}$/);
  });

  it('is that it was slow, when it has let the backend wait', async () => {
    peer.gate = () => {
      aheadMs += QUEUE.slowMs + 1;
    };
    assert.equal(await inspected(), true);
    await worker.stop();
    assert.equal((await nodeOf()).misses, 1);
  });

  it('is not that it was slow, when the database has', async () => {
    const find = store.nodes.find.bind(store.nodes);
    store.nodes.find = async (node) => {
      aheadMs += QUEUE.slowMs + 1;
      return await find(node);
    };
    assert.equal(await inspected(), true);
    await worker.stop();
    assert.equal((await nodeOf()).misses, 0);
  });
});
