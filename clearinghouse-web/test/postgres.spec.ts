import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { sql } from 'kysely';
import { DATABASE_LIMITS } from '../src/limits.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { isAway, type PostgresInit, withoutPasswords } from '../src/store/postgres.ts';
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

describe('what could not be read or written', () => {
  const isOf = (code: string, syscall: string, away: boolean) => (error: NodeJS.ErrnoException) =>
    error.code === code && error.syscall === syscall && isAway(error) === away;

  it('is a database that is away when it was a connection', async () => {
    await using server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('select 1');
    await assert.rejects(once(socket, 'close'), isOf('ECONNRESET', 'read', true));
  });

  it('is none when it was a file', async () => {
    await assert.rejects(readFile('/'), isOf('EISDIR', 'read', false));
    await assert.rejects(writeFile('/dev/full', 'more'), isOf('ENOSPC', 'write', false));
  });
});

describe('a PostgreSQL that does not answer in time', () => {
  let server: PostgresServer | undefined;
  let database: Database;
  const stack = new AsyncDisposableStack();
  const open = (waits: PostgresInit['waits'] = {}): Database => {
    const opened = openDatabase(server?.url('postgres') ?? '', { waits });
    stack.defer(async () => await opened.destroy());
    return opened;
  };
  before(async function () {
    server = await PostgresServer.start();
    if (server === undefined) this.skip();
    stack.use(server);
    database = open({ answerMs: 500 });
  });
  after(async () => await stack.disposeAsync());

  const pidOf = async (db: Database): Promise<number> => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
    return rows[0]?.pid ?? assert.fail();
  };
  const isAwayWith = (code?: string) => (error: Error & { code?: string }) => isAway(error) && error.code === code;

  it('gives up a statement that takes too long, and the connection goes on', async () => {
    const quick = open({ statementMs: 50 });
    const pid = await pidOf(quick);
    await assert.rejects(sql`select pg_sleep(60)`.execute(quick), isAwayWith('57014'));
    assert.equal(await pidOf(quick), pid);
    const { rows } = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(database);
    assert.equal(rows[0]?.statement_timeout, `${DATABASE_LIMITS.statementMs / 1000}s`);
  });

  it('gives up waiting for a table that another session has locked', async () => {
    await sql`create table held (n integer)`.execute(database);
    await database.transaction().execute(async (holder) => {
      await sql`lock table held`.execute(holder);
      await assert.rejects(sql`select * from held`.execute(open({ lockMs: 50 })), isAwayWith('55P03'));
    });
  });

  it('gives up a connection on which nothing comes, also in a transaction, and makes another when it answers again', async () => {
    const pid = await pidOf(database);
    {
      using _hanging = server?.hang();
      await assert.rejects(sql`select 1`.execute(database), isAwayWith());
    }
    assert.notEqual(await pidOf(database), pid);
    await assert.rejects(
      database.transaction().execute(async (trx) => {
        await sql`select 1`.execute(trx);
        using _hanging = server?.hang();
        await sql`select 2`.execute(trx);
      }),
      isAwayWith(),
    );
    assert.ok(await pidOf(database));
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
