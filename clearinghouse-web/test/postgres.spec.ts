import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { withoutPasswords } from '../src/store/postgres.ts';
import { Store } from '../src/store/store.ts';
import { PostgresServer } from './support/postgres.ts';

describe('a PostgreSQL that cannot be used', () => {
  let server: PostgresServer | undefined;
  before(async function () {
    server = await PostgresServer.start();
    if (server === undefined) this.skip();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  async function refusal(url: string): Promise<{ code: string; message: string }> {
    return await Store.open(url).then(
      () => assert.fail('expected the database to be refused'),
      (error: unknown) => error as { code: string; message: string },
    );
  }

  it('is away: the error says where nobody listens', async () => {
    const { code, message } = await refusal('postgres://potluck:secret@/potluck?host=/nowhere/at/all');
    assert.equal(code, 'DATABASE_AWAY');
    assert.match(message, /^expected a PostgreSQL server that listens there at postgres:\/\/potluck:\.\.\.@\/potluck/);
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as { port: number };
    listener.close();
    assert.equal((await refusal(`postgres://potluck:secret@127.0.0.1:${port}/potluck`)).code, 'DATABASE_AWAY');
  });

  it('has no such database, or no such user: the error says which', async () => {
    const none = await refusal(server?.url('nothing') ?? '');
    assert.equal(none.code, 'DATABASE_REFUSED');
    assert.match(none.message, /expected a database that exists .* got: database "nothing" does not exist/);
    const stranger = await refusal(server?.url('postgres').replace(/potluck:\w+@/, 'stranger@') ?? '');
    assert.equal(stranger.code, 'DATABASE_REFUSED');
    assert.match(stranger.message, /role "stranger" does not exist/);
  });

  it('lets nobody in who may create no tables', async () => {
    await server?.run('create role guest login');
    const { code, message } = await refusal(server?.url('postgres').replace(/potluck:\w+@/, 'guest@') ?? '');
    assert.equal(code, 'DATABASE_REFUSED', message);
    assert.match(message, /expected a user who may create tables in it/);
  });
});

describe('a PostgreSQL that asks for a password', () => {
  let server: PostgresServer | undefined;
  let url = '';
  before(async function () {
    server = await PostgresServer.start({ auth: 'scram-sha-256' });
    if (server === undefined) this.skip();
    url = await server.createDatabase();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  it('takes it from the address, or from the environment, and never says it', async () => {
    assert.ok(server);
    await server.run("create role guest login password 'open sesame' superuser");
    const guest = url.replace(/potluck:\w+@/, 'guest@');
    await using store = await Store.open(url.replace(/potluck:\w+@/, 'guest:open%20sesame@'));
    await store.ping();
    const wrong = url.replace(/potluck:\w+@/, 'guest:open%20barley@');
    await assert.rejects(Store.open(wrong), ({ code, message }) => {
      assert.match(message, /^expected the right password .* at postgres:\/\/guest:\.\.\.@/);
      assert.doesNotMatch(message, /barley/);
      return code === 'DATABASE_REFUSED';
    });
    await assert.rejects(Store.open(guest), { code: 'DATABASE_REFUSED' });
    process.env.PGPASSWORD = 'open sesame';
    try {
      await using same = await Store.open(guest);
      await same.ping();
    } finally {
      delete process.env.PGPASSWORD;
    }
  });
});

describe('an address of a database, as it is said', () => {
  for (const [address, said] of [
    ['postgres://u:p@h/d', 'postgres://u:...@h/d'],
    ['postgresql://u:p%40q@h:1/d?host=/x', 'postgresql://u:...@h:1/d?host=/x'],
    ['postgres://:p@h/d', 'postgres://:...@h/d'],
    ['postgres://h/d?password=p&user=u', 'postgres://h/d?password=...&user=u'],
    ['mysql://u:p@h/d', 'mysql://u:...@h/d'],
    ['/var/lib/potluck/clearinghouse.sqlite', '/var/lib/potluck/clearinghouse.sqlite'],
  ] as const) {
    it(`of ${said} has no password`, () => assert.equal(withoutPasswords(address), said));
  }
});
