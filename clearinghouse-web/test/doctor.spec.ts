import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Finding, type KeyId, writeJson } from '@potluck/protocol';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { Clearinghouse } from '../src/clearinghouse.ts';
import { type DoctorPlace, examine } from '../src/doctor/examine.ts';
import { DOCTOR_LIMITS, SITE_LIMITS } from '../src/limits.ts';
import { statePaths } from '../src/paths.ts';
import { openDatabase } from '../src/store/database.ts';
import { Store } from '../src/store/store.ts';
import type { Api } from './support/api.ts';
import { PostgresServer } from './support/postgres.ts';
import { Site, temporaryDirectory } from './support/site.ts';

const COMMAND = join(import.meta.dirname, '..', 'bin', 'clearinghouse.ts');

describe('the doctor of a clearinghouse', () => {
  let site: Site;
  let admin: Api;
  let place: DoctorPlace;

  before(async () => {
    site = await Site.start();
    place = { state: join(site.directory, 'state') };
    admin = await site.administrator('admin');
    await site.donorKey('admin');
    await told();
  });
  after(async () => await site[Symbol.asyncDispose]());

  /** As the command writes it. */
  async function told(more: object = {}): Promise<void> {
    const { url, gatewayAddress: gateway, listening } = site.clearinghouse;
    await writeJson(statePaths(place.state).address, {
      ...{ url, gateway, listening, proxies: [], pid: process.pid, ...more },
    });
  }
  async function found(there = place): Promise<ReadonlyMap<string, Finding>> {
    return new Map((await examine(there)).map((finding) => [finding.what, finding]));
  }
  const wrongs = (findings: ReadonlyMap<string, Finding>): string[] =>
    [...findings.values()].filter(({ state }) => state === 'wrong').map(({ what }) => what);
  function change(path: string, text: string): void {
    const database = new Database(path, { timeout: 10_000 });
    database.exec(text);
    database.close();
  }

  it('finds nothing wrong with a site that runs, and says so by the exit code and in JSON', async () => {
    const findings = await found();
    assert.deepEqual(wrongs(findings), [], JSON.stringify([...findings.values()]));
    const well = [...findings.values()].filter(({ state }) => state === 'well').map(({ what }) => what);
    const expected = ['backend', 'database', "donors' keys", 'gateway', 'gateway key', 'ledger', 'nodes', 'portal'];
    for (const what of [...expected, 'queue', 'schema', 'site', 'state directory', 'websockets']) {
      assert.ok(well.includes(what), what);
    }
    assert.match(findings.get('backup')?.text ?? '', /none is known .*have clearinghouse backup run each night/);
    const said = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, [COMMAND, 'doctor', '--state', place.state, '--json'], (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      );
    });
    assert.equal((JSON.parse(said) as Finding[]).length, findings.size);
  });

  it('says what is stuck in the queue, by kind and cause, and which tasks nobody takes', async () => {
    const add =
      'INSERT INTO tasks (kind, subject, payload, state, attempts, run_at, claimed_until, token, error, cause, created_at, ended_at) VALUES';
    const [old, now] = [Date.now() - DOCTOR_LIMITS.lateMs - 1000, Date.now()];
    // The backend would take them up: it is held while we look.
    process.kill(site.clearinghouse.backendPid ?? assert.fail(), 'SIGSTOP');
    try {
      site.write(`${add} ('inspect-node', 'a', '{}', 'waiting', 0, ${old}, NULL, NULL, NULL, NULL, ${old}, NULL)`);
      site.write(`${add} ('split-node', 'b', '{}', 'claimed', 1, ${old}, ${old}, 'x', NULL, NULL, ${old}, NULL)`);
      const tried = `'waiting', ${DOCTOR_LIMITS.attempts}, ${now + 60_000}, NULL, NULL`;
      site.write(`${add} ('make-donor-key', 'c', '{}', ${tried}, 'no', 'TIMEOUT', ${old}, NULL)`);
      site.write(
        `${add} ('change-users', 'd', '{}', 'failed', 1, ${old}, NULL, NULL, 'no', 'DISK_FULL', ${old}, ${now})`,
      );
      const texts = (await examine(place)).filter(({ what }) => what === 'queue').map(({ text }) => text);
      assert.match(texts.join('\n'), /^1 tasks are due and no backend takes them/m);
      assert.match(texts.join('\n'), /^1 tasks were begun and never ended/m);
      assert.match(texts.join('\n'), /^1 make-donor-key \(TIMEOUT\) are tried again and again: see \/admin$/m);
      assert.match(texts.join('\n'), /^1 change-users \(DISK_FULL\) failed within a day: see \/admin$/m);
    } finally {
      site.write("DELETE FROM tasks WHERE subject IN ('a', 'b', 'c', 'd')");
      process.kill(site.clearinghouse.backendPid ?? 0, 'SIGCONT');
    }
    assert.equal((await found()).get('queue')?.state, 'well');
  });

  it('says when everything is stopped, a ledger does not add up, or a donor’s key is lost', async () => {
    await admin.post('/admin/emergency-stop', { reason: 'a test' });
    site.write(
      "INSERT INTO ledger (account_id, number, at, amount, balance, why) SELECT account_id, number + 1, at, 5, 1, 'policy' FROM ledger",
    );
    const { backendKeys } = statePaths(place.state);
    change(backendKeys, "UPDATE donor_keys SET key = 'lost-' || key");
    const findings = await found();
    assert.deepEqual(wrongs(findings).sort(), ["donors' keys", 'ledger']);
    assert.match(findings.get('ledger')?.text ?? '', /does not add up for 1 accounts: clearinghouse check/);
    assert.match(
      findings.get("donors' keys")?.text ?? '',
      /^1 of 1 are missing .*restore a backup.*run --new-keys-database/,
    );
    assert.match(findings.get('emergency stop')?.text ?? '', /emergency-stop --lift/);
    change(backendKeys, 'UPDATE donor_keys SET key = substr(key, 6)');
    const gone = join(site.directory, 'gone.sqlite');
    const without = (await found({ ...place, keysDatabase: gone })).get("donors' keys");
    assert.equal(without?.state, 'wrong');
    assert.match(without.text, /^there is no .*gone\.sqlite, which should have 1 of 1: name --keys-database/);
    assert.equal(existsSync(gone), false);
  });

  it('says that a certificate is believed by nobody, that a proxy passes no WebSockets or is not believed', async () => {
    const paths = [join(site.directory, 'key.pem'), join(site.directory, 'cert.pem')] as const;
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=x'];
    execFileSync('openssl', ['req', '-x509', ...ec, '-keyout', paths[0], '-out', paths[1]], { stdio: 'ignore' });
    const [key, cert] = paths.map((path) => readFileSync(path));
    await using stack = new AsyncDisposableStack();
    const proxy = createServer({ key, cert }, (_request, response) => response.end('{}')).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    stack.defer(() => void proxy.close());
    const { port } = proxy.address() as AddressInfo;
    await told({ url: `https://127.0.0.1:${port}`, listening: { host: '10.0.0.11', port: 1, gatewayPort: 1 } });
    const refused = await found();
    assert.match(refused.get('certificate')?.text ?? '', /no browser believes/);
    assert.match(refused.get('proxy')?.text ?? '', /everybody counts as one address; say --proxy ADDRESS/);
    const http = (await import('node:http')).createServer((_request, response) => response.end('{}'));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    stack.defer(() => void http.close());
    await told({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
    assert.match((await found()).get('websockets')?.text ?? '', /the proxy passes none/);
    await told({ url: 'http://127.0.0.1:1' });
    assert.equal((await found()).get('portal')?.state, 'wrong');
    await told();
  });

  it('says what is wrong with a state directory, and whether its site stopped or died, without touching it', async () => {
    await using directory = await temporaryDirectory();
    const state = join(directory.path, 'state');
    assert.match((await found({ state })).get('state directory')?.text ?? '', /^expected .*state, got none/);
    mkdirSync(state, { mode: 0o700 });
    const empty = await found({ state });
    assert.deepEqual(wrongs(empty), ['gateway key']);
    assert.equal(empty.get('site')?.state, 'warning');
    assert.equal(empty.get('database')?.state, 'warning');
    assert.deepEqual(readdirSync(state), []);
    const paths = statePaths(state);
    // As of a site on PostgreSQL.
    copyFileSync(statePaths(place.state).gatewayKey, paths.gatewayKey);
    const stopped = await found({ state });
    assert.deepEqual(wrongs(stopped), ['site', 'database']);
    assert.match(stopped.get('database')?.text ?? '', /none at .*name --database as the site does/);
    assert.equal(stopped.has("donors' keys"), false);
    rmSync(paths.gatewayKey);
    await (await Store.open(paths.database))[Symbol.asyncDispose]();
    change(paths.database, "DELETE FROM kysely_migration WHERE name = '0020-askers'");
    await writeJson(paths.address, JSON.parse(readFileSync(statePaths(place.state).address, 'utf8')));
    const old = await found({ state });
    assert.match(old.get('schema')?.text ?? '', /older version \(0020-askers are to come\)/);
    assert.match(old.get('site')?.text ?? '', /has died: look into its log/);
    rmSync(paths.address);
    change(paths.database, "INSERT INTO kysely_migration VALUES ('9999-later', '')");
    const late = await found({ state });
    assert.match(late.get('schema')?.text ?? '', /a newer version has made it \(9999-later\)/);
    chmodSync(state, 0o755);
    assert.match((await found({ state })).get('state directory')?.text ?? '', /open to others.*chmod 700/);
  });

  it('lets a site start that is begun at the moment of the look', async () => {
    await using directory = await temporaryDirectory();
    const paths = statePaths(directory.path);
    const looking = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
      const lock = new (require('better-sqlite3'))(workerData);
      lock.exec('BEGIN EXCLUSIVE');
      parentPort.postMessage('held');
      setTimeout(() => lock.close(), 100);`,
      { eval: true, workerData: paths.lock },
    );
    await once(looking, 'message');
    // What comes after the lock.
    writeFileSync(paths.gatewayKey, 'no key', { mode: 0o600 });
    const any = { host: '127.0.0.1', port: 0, gatewayHost: '127.0.0.1', gatewayPort: 0 };
    const begun = new Clearinghouse({ state: directory.path, ...any, logger: pino({ level: 'silent' }) });
    await assert.rejects(begun.start(), { code: 'KEY_FILE_BROKEN' });
    await looking.terminate();
  });

  it('says by the exit code that something is wrong, in a line that says what to do', async () => {
    await using directory = await temporaryDirectory();
    const { code, text } = await new Promise<{ code: unknown; text: string }>((resolve) => {
      const args = [COMMAND, 'doctor', '--state', directory.path];
      execFile(process.execPath, args, (error, stdout) => resolve({ code: error?.code, text: stdout }));
    });
    assert.equal(code, 1);
    assert.match(text, /^WRONG {3}gateway key: there is none at .*: bring it back from a backup/m);
  });

  it('asks a PostgreSQL as well: whose clock is off, which site says nothing, and why it cannot be had', async function () {
    const server = await PostgresServer.start();
    if (server === undefined) this.skip();
    await using stack = new AsyncDisposableStack();
    await using _server = server;
    const database = await server.createMigrated();
    await (await Store.open(database))[Symbol.asyncDispose]();
    const good = await found({ ...place, database });
    assert.deepEqual([good.get('database')?.state, good.get('schema')?.state], ['well', 'well']);
    const store = stack.use(await Store.open(database));
    const [right, late, silent] = await Promise.all(
      ['a', 'a', 'a'].map(async () => await store.sites.join({ gatewayKey: 'a' as KeyId, alone: false })),
    );
    assert.ok(right && late && silent);
    const db = openDatabase(database);
    stack.defer(async () => await db.destroy());
    const timer = setInterval(async () => {
      for (const [site, ms] of [
        [right, 0],
        [late, DOCTOR_LIMITS.clockMs + 1000],
      ] as const) {
        const expires_at = Date.now() + SITE_LIMITS.lifeMs - ms;
        await db
          .updateTable('sites')
          .set({ expires_at })
          .where('id', '=', site)
          .execute()
          .catch(() => undefined);
      }
    }, 50);
    stack.defer(() => clearInterval(timer));
    const clocks = await found({ ...place, database });
    assert.match(clocks.get(`site ${right}`)?.text ?? '', /^it lives, and its clock and this one are 0\.\d s apart/);
    assert.match(
      clocks.get(`site ${late}`)?.text ?? '',
      /clock and this one are [56]\.\d s apart, and at 15 s others take/,
    );
    assert.match(clocks.get(`site ${silent}`)?.text ?? '', /it says nothing/);
    assert.deepEqual([clocks.get(`site ${late}`)?.state, clocks.get(`site ${silent}`)?.state], ['wrong', 'warning']);
    await stack.disposeAsync();
    await server.dropDatabase(database);
    await server.dropDatabase(database);
    const gone = await found({ ...place, database });
    assert.equal(gone.get('database')?.state, 'wrong');
    assert.match(gone.get('database')?.text ?? '', /expected a database that exists \(see createdb\)/);
  });
});
