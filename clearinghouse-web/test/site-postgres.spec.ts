import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyIdSchema } from '@potluck/protocol';
import { sql } from 'kysely';
import { openDatabase } from '../src/store/database.ts';
import { PostgresServer } from './support/postgres.ts';
import { eventually, Site, temporaryDirectory } from './support/site.ts';

describe('a clearinghouse on PostgreSQL', () => {
  let server: PostgresServer | undefined;
  let database = '';
  let keysDatabase = '';

  before(async function () {
    server = await PostgresServer.start();
    if (server === undefined) this.skip();
    database = await server.createDatabase();
    // A role and a database of the keys' own, that the site's role cannot enter.
    await server.run("create role keeper login password 'bolt'");
    await server.run("create role site login password 'door'");
    await server.run('create database keys owner keeper');
    await server.run('revoke connect on database keys from public');
    keysDatabase = server.url('keys').replace(/potluck:\w+@/, 'keeper:bolt@');
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  it('takes a donation, hands vessels over, and does what a killed backend left', async () => {
    await using site = await Site.start({ database, keysDatabase });
    const donor = await site.api().join('donor');
    const donorKey = await eventually(async () => (await rows('select donor_key from accounts'))[0]?.donor_key);
    const peer = await site.peerOf(donor, keyIdSchema.parse(donorKey), { vessels: 2 });
    const acquired = await donor.post('/vessels/acquire', { count: 2 });
    assert.equal(acquired.status, 201, acquired.text);
    const killed = site.clearinghouse.backendPid;
    assert.ok(killed);
    process.kill(killed, 'SIGKILL');
    await donor.post('/vessels/release', { all: true });
    await eventually(async () => ((await donor.get('/')).body.free === 2 ? true : undefined));
    assert.deepEqual(peer.vessels.get('v1')?.users, []);
    assert.equal(existsSync(join(site.directory, 'state', 'clearinghouse.sqlite')), false);
    assert.equal(existsSync(join(site.directory, 'state', 'backend', 'keys.sqlite')), false);
  });

  it('refuses a second site with keys of its own, and says what to do', async () => {
    assert.ok(server);
    const [main, keys, other] = [
      await server.createDatabase(),
      await server.createDatabase(),
      await server.createDatabase(),
    ];
    const gatewayKey = (state: string): string => join(state, 'gateway.jwk');
    await using first = await Site.start({ database: main, keysDatabase: keys });
    await using directory = await temporaryDirectory();
    const state = join(directory.path, 'state');
    mkdirSync(state, { mode: 0o700 });
    copyFileSync(gatewayKey(join(first.directory, 'state')), gatewayKey(state));
    for (const own of [undefined, other]) {
      await assert.rejects(Site.start({ state, database: main, keysDatabase: own }), {
        code: 'BACKEND_GONE',
        message: /got another one: name the same --keys-database for each of its sites/,
      });
    }
    await using _second = await Site.start({ state, database: main, keysDatabase: keys });
  });

  it('keeps the donors’ keys where the site’s database user does not get', async () => {
    const asSite = openDatabase(keysDatabase.replace('keeper:bolt@', 'site:door@'));
    try {
      await assert.rejects(sql`select * from donor_keys`.execute(asSite), { code: '42501' });
    } finally {
      await asSite.destroy();
    }
    assert.equal((await rows("select 1 from information_schema.tables where table_name = 'donor_keys'")).length, 0);
  });

  it('says on its status page that the database hangs or is down, to programs with a code, and in its metrics', async () => {
    const own = await PostgresServer.start();
    assert.ok(own);
    await using site = await Site.start({
      database: await own.createDatabase(),
      keysDatabase: await own.createDatabase(),
      metrics: { host: '127.0.0.1', port: 0 },
    });
    const { url } = site.clearinghouse;
    const api = await site.api().join('user');
    {
      using _hanging = own.hang();
      // The page and the answer to a program, to somebody who is logged in and to nobody, wait together.
      const [page, known, program] = await Promise.all([
        fetch(`${url}/status`, { headers: { accept: 'text/html' } }),
        api.get('/status'),
        site.api().get('/status'),
      ]);
      assert.equal(page.status, 503);
      assert.match(await page.text(), /The database does not answer/);
      assert.deepEqual([known.body.code, program.body.code], ['NOT_READY', 'NOT_READY']);
    }
    await own[Symbol.asyncDispose]();
    const response = await eventually(async () => {
      const got = await fetch(`${url}/status`, { headers: { accept: 'text/html' } });
      return got.status === 503 ? got : undefined;
    });
    assert.match(await response.text(), /The database does not answer/);
    const answer = await site.api().get('/status');
    assert.equal(answer.status, 503);
    assert.equal(answer.body.code, 'NOT_READY');
    const metrics = await fetch(`http://127.0.0.1:${site.clearinghouse.metricsAddress?.port}/metrics`);
    assert.match(await metrics.text(), /^potluck_database_up 0$/m, 'they tell what is known without it');
  });

  async function rows(text: string): Promise<Record<string, unknown>[]> {
    const db = openDatabase(database);
    try {
      return (await sql.raw<Record<string, unknown>>(text).execute(db)).rows;
    } finally {
      await db.destroy();
    }
  }
});
